/** Sorts a table by a column; the first click on a column sorts upwards. Empty cells stay last. */
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  for (const [column, head] of heads.entries()) {
    const button = head.querySelector("button.sort");
    if (!button) continue;
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [row, row.cells[column].dataset.key ?? ""]);
      const numbers = rows.every(([, key]) => key === "" || Number.isFinite(Number(key)));
      rows.sort(([, one], [, other]) => {
        if (one === "" || other === "") return Number(one === "") - Number(other === "");
        const order = numbers ? Number(one) - Number(other) : one.localeCompare(other);
        return up ? order : -order;
      });
      body.append(...rows.map(([row]) => row));
      announce(`sorted by ${head.textContent.trim()}, ${up ? "lowest" : "highest"} first`);
    });
  }
}

function announce(text) {
  document.getElementById("announce").textContent = text;
}
