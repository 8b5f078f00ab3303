// The Affect Grid (Russell, Weiss & Mendelsohn 1989): nine by nine, one mark.
const GRID = 9;

function affectGrid(page, place, items) {
  const across = items.find(({ id }) => id === "valence");
  const upward = items.find(({ id }) => id === "arousal");
  const isMirrored = page.view.direction === "rtl";
  let marked = null;
  let focused = { column: 5, row: 5 };

  const cells = new Map();
  const at = (column, row) => cells.get(`${column}/${row}`);
  const describe = (column, row) => page.word("instrument.grid.cell", { right: across.high_words, column, up: upward.high_words, row });
  const grid = element("div", { class: "ip-grid", role: "grid", "aria-label": page.word("instrument.grid.label") });
  for (let row = GRID; row >= 1; row -= 1) {
    const line = element("div", { role: "row", class: "ip-grid-row" });
    for (let column = 1; column <= GRID; column += 1) {
      const cell = element("div", {
        role: "gridcell",
        class: "ip-grid-cell",
        tabindex: "-1",
        "aria-selected": "false",
        "aria-label": describe(column, row),
        "data-column": column,
        "data-row": row,
      });
      cells.set(`${column}/${row}`, cell);
      line.append(cell);
    }
    grid.append(line);
  }
  at(focused.column, focused.row).tabIndex = 0;

  const readout = element("p", { class: "ip-note", "aria-live": "polite" }, page.word("instrument.grid.none"));
  const focusCell = (column, row) => {
    at(focused.column, focused.row).tabIndex = -1;
    focused = { column, row };
    at(column, row).tabIndex = 0;
    at(column, row).focus({ preventScroll: true });
  };
  const mark = (column, row) => {
    if (marked) at(marked.column, marked.row).setAttribute("aria-selected", "false");
    marked = { column, row };
    at(column, row).setAttribute("aria-selected", "true");
    readout.textContent = page.word("instrument.grid.marked", { cell: describe(column, row) });
  };
  const within = (value) => Math.min(GRID, Math.max(1, value));

  // The nearest field wins, so a finger may press and drag anywhere on the grid.
  const pick = (event) => {
    const box = grid.getBoundingClientRect();
    const fromStart = isMirrored ? box.right - event.clientX : event.clientX - box.left;
    const column = within(Math.ceil((GRID * fromStart) / box.width));
    const row = within(Math.ceil((GRID * (box.bottom - event.clientY)) / box.height));
    focusCell(column, row);
    mark(column, row);
  };
  let isPressed = false;
  grid.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    isPressed = true;
    grid.setPointerCapture(event.pointerId);
    pick(event);
    event.preventDefault();
  });
  grid.addEventListener("pointermove", (event) => { if (isPressed) pick(event); });
  for (const end of ["pointerup", "pointercancel"]) grid.addEventListener(end, () => { isPressed = false; });
  const forward = isMirrored ? -1 : 1;
  const moves = {
    ArrowRight: [forward, 0], ArrowLeft: [-forward, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    Home: [-GRID, 0], End: [GRID, 0], PageUp: [0, GRID], PageDown: [0, -GRID],
  };
  grid.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (move) focusCell(within(focused.column + move[0]), within(focused.row + move[1]));
    else if (event.key === "Enter" || event.key === " ") mark(focused.column, focused.row);
    else return;
    event.preventDefault();
  });
  // A screen reader's own "activate" sends a click without a pointer.
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest?.(".ip-grid-cell");
    if (event.detail === 0 && cell) mark(Number(cell.dataset.column), Number(cell.dataset.row));
  });

  const nudge = (dx, dy, name, where, words) => element("button", {
    type: "button",
    class: `ip-button ip-button--quiet ip-nudge ip-nudge--${where}`,
    "aria-label": page.word(`instrument.grid.move.${name}`, { [name]: words }),
    onclick: () => {
      const from = marked ?? focused;
      const to = { column: within(from.column + dx), row: within(from.row + dy) };
      at(focused.column, focused.row).tabIndex = -1;
      focused = to;
      at(to.column, to.row).tabIndex = 0;
      mark(to.column, to.row);
    },
  }, arrow(where));
  const nudges = element("div", { class: "ip-nudges", role: "group", "aria-label": page.word("instrument.grid.move") },
    nudge(-1, 0, "left", "start", across.low_words),
    nudge(0, 1, "up", "up", upward.high_words),
    nudge(0, -1, "down", "down", upward.low_words),
    nudge(1, 0, "right", "end", across.high_words));

  const corner = (name) => element("span", { class: "ip-grid-corner" }, page.word(`item.corner.${name}`));
  const axis = (name, text) => element("span", { class: `ip-grid-axis ip-grid-axis--${name}` }, text);
  const line = (name, ...parts) => element("div", { class: `ip-grid-line ip-grid-line--${name}`, "aria-hidden": "true" }, ...parts);
  const how = element("p", { class: "ip-soft", id: freshId() }, page.word("instrument.grid.how"));
  grid.setAttribute("aria-describedby", how.id);
  place.append(element("div", { class: "ip-card ip-grid-card" },
    how,
    element("div", { class: "ip-grid-frame" },
      line("up", corner("high_low"), axis("up", upward.high_words), corner("high_high")),
      grid,
      line("down", corner("low_low"), axis("down", upward.low_words), corner("low_high")),
      line("across", axis("start", across.low_words), axis("end", across.high_words))),
    readout,
    nudges));
  const part = {
    id: "valence",
    words: page.word("instrument.grid.none"),
    startsInTheMiddle: false,
    isTouched: () => marked !== null,
    value: () => (marked ? { valence: marked.column, arousal: marked.row } : null),
    focus: () => at(focused.column, focused.row).focus(),
  };
  return { parts: [part] };
}

function arrow(where) {
  const turn = { up: 0, end: 90, down: 180, start: 270 }[where];
  return element("svg:svg", { viewBox: "0 0 24 24", class: "ip-arrow", "aria-hidden": "true" },
    element("svg:path", { d: "M12 19 V5 M5.5 11.5 L12 5 L18.5 11.5", transform: `rotate(${turn} 12 12)` }));
}
