/** Which methods of a task are drawn, and which one is pointed at, in its table and in its pictures. */
class View {
  constructor(section, data, number) {
    this.section = section;
    this.data = data;
    this.shown = new Set(data.methods.keys());
    this.pointed = null;
    this.pictures = [];
    this.rows = new Map([...section.querySelectorAll("tr[data-method]")].map((row) => [Number(row.dataset.method), row]));
    for (const [method, row] of this.rows) {
      row.querySelector("input").addEventListener("change", (event) => this.draw(method, event.target.checked));
      row.addEventListener("pointerenter", () => this.point(method));
      row.addEventListener("pointerleave", () => this.point(null));
      row.addEventListener("focusin", () => this.point(method));
    }
    for (const button of section.querySelectorAll("[data-show]")) button.addEventListener("click", () => this.only(button.dataset.show));
    for (const figure of section.querySelectorAll("[data-set]"))
      this.pictures.push(new Curves(figure, data.sets[Number(figure.dataset.set)], data.methods, this));
    for (const figure of section.querySelectorAll("[data-overview]")) new Overview(figure, data, number, this);
  }

  draw(method, shown) {
    if (shown) this.shown.add(method);
    else this.shown.delete(method);
    this.redraw();
  }

  only(which) {
    const wanted = (kind) => which === "all" || (which === "best" && kind !== "rest");
    this.shown = new Set([...this.data.methods.keys()].filter((method) => wanted(this.data.methods[method].kind)));
    for (const [method, row] of this.rows) row.querySelector("input").checked = this.shown.has(method);
    this.redraw();
    announce(`${this.shown.size} methods are drawn`);
  }

  redraw() {
    for (const picture of this.pictures) picture.draw();
    this.refresh();
  }

  point(method) {
    this.pointed = method;
    this.refresh();
  }

  refresh() {
    for (const one of this.section.querySelectorAll("[data-method]")) {
      const method = Number(one.dataset.method);
      one.classList.toggle("pointed", method === this.pointed);
      if (!one.closest("table")) one.classList.toggle("off", !this.shown.has(method));
    }
    this.section.classList.toggle("pointing", this.pointed !== null);
  }
}

for (const table of document.querySelectorAll("table.board")) sortable(table);
const tasks = JSON.parse(document.getElementById("data").textContent);
for (const [number, section] of [...document.querySelectorAll("section[data-task-number]")].entries())
  new View(section, tasks[number], number);

/** A link into a folded part unfolds it. */
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const folded = target.closest("details") ?? target.querySelector(":scope > details");
  if (folded) folded.open = true;
  target.scrollIntoView();
  if (target.matches("tr")) target.focus({preventScroll: true});
}

window.addEventListener("hashchange", unfold);
unfold();
let folded = [];
window.addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const one of folded) one.open = true;
});
window.addEventListener("afterprint", () => {
  for (const one of folded) one.open = false;
});
