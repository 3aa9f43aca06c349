"use strict";
// All rows that the filters leave, however many: only those in view exist, and they are fetched in pages.
(() => {
  const { h, name, percent, thumb, visible, counted } = fixfirst;
  const HEIGHT = 52;
  const PAGE = 100;

  function list(app) {
    const pages = new Map();
    const body = h("div", { class: "rows" });
    const scroller = h("div", { class: "scroller", tabindex: "0", role: "grid", "aria-label": "rows", "aria-colcount": 5 },
      heading(), body);
    const title = h("h2", { class: "question" }, "…");
    const shown = new Map();
    let total = 0;
    let active = app.place ?? 0;

    async function page(number) {
      if (!pages.has(number)) {
        pages.set(number, app.rows({ ...app.query, round: app.round, from: number * PAGE, count: PAGE }));
      }
      const found = await pages.get(number);
      if (!found) pages.delete(number);
      return found;
    }

    async function draw() {
      const first = Math.max(Math.floor(scroller.scrollTop / HEIGHT) - 6, 0);
      const last = Math.min(first + Math.ceil(scroller.clientHeight / HEIGHT) + 14, total);
      for (const [place, node] of shown) {
        if (place < first || place >= last) {
          node.remove();
          shown.delete(place);
        }
      }
      for (let number = Math.floor(first / PAGE); number * PAGE < last; number += 1) {
        const found = await page(number);
        if (!found || !body.isConnected) return;
        found.rows.forEach((row, offset) => {
          const place = number * PAGE + offset;
          if (place >= first && place < last && !shown.has(place)) add(row, place);
        });
      }
    }

    function add(row, place) {
      const node = line(row, place, app, () => move(place));
      node.style.transform = `translateY(${place * HEIGHT}px)`;
      node.classList.toggle("active", place === active);
      shown.set(place, node);
      body.append(node);
    }

    function move(place) {
      active = Math.min(Math.max(place, 0), Math.max(total - 1, 0));
      app.place = active;
      const top = active * HEIGHT;
      const room = scroller.clientHeight - HEIGHT;
      if (top < scroller.scrollTop) scroller.scrollTop = top;
      else if (top + HEIGHT > scroller.scrollTop + room) scroller.scrollTop = top + HEIGHT - room;
      for (const [number, node] of shown) node.classList.toggle("active", number === active);
      scroller.setAttribute("aria-activedescendant", `line-${active}`);
    }

    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    scroller.addEventListener("keydown", (event) => {
      if (event.key in steps) move(active + steps[event.key]);
      else if (event.key === "Home") move(0);
      else if (event.key === "End") move(total - 1);
      else if (event.key === "Enter" || event.key === " ") shown.get(active)?.querySelector("button")?.click();
      else return;
      event.preventDefault();
      event.stopPropagation();
      draw();
    });
    scroller.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });

    page(0).then((found) => {
      if (!found) return;
      total = found.total;
      title.replaceChildren(counted(total, "row"),
        h("span", { class: "quiet" }, " · the one to look at first on top"));
      scroller.setAttribute("aria-rowcount", String(total + 1));
      body.style.height = `${total * HEIGHT}px`;
      move(active);
      draw();
    });
    return [h("section", { class: "panel wide list", "aria-label": "list of rows" }, title, scroller), app.side()];
  }

  function heading() {
    return h("div", { class: "line head", role: "row", "aria-rowindex": 1 },
      ["row", "given", "suggested", "suspicion", "decision"].map((text) => h("span", { role: "columnheader" }, text)));
  }

  function line(row, place, app, touch) {
    const said = fixfirst.SAID[row.state];
    const right = row.given === row.suggested;
    return h("div", { class: "line", role: "row", id: `line-${place}`, "aria-rowindex": place + 2, onmousedown: touch },
      h("span", { role: "gridcell", class: "who" }, h("button", {
        type: "button", class: "link id", tabindex: "-1", title: visible(row.id), onclick: () => app.open(row.row),
      }, row.picture ? thumb(row, "") : null, name(row.id))),
      h("span", { role: "gridcell" }, row.given === null ? h("em", {}, "no label") : name(row.given, right ? "" : "given")),
      h("span", { role: "gridcell" }, right ? "" : name(row.suggested, "suggested")),
      h("span", { role: "gridcell", class: "number" }, percent(row.suspicion)),
      h("span", { role: "gridcell" }, said ? said(row) : ""));
  }

  Object.assign(fixfirst, { list });
})();
