"use strict";
(function () {
  function key(row, column) {
    var value = row.cells[column].getAttribute("data-key") || "";
    var number = Number(value);
    return value !== "" && !Number.isNaN(number) ? number : value;
  }
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") { return a - b; }
    return String(a).localeCompare(String(b));
  }
  function sort(table, head, column) {
    var down = head.getAttribute("aria-sort") === "ascending";
    var rows = Array.from(table.tBodies[0].rows);
    rows.sort(function (a, b) { return compare(key(a, column), key(b, column)) * (down ? -1 : 1); });
    table.querySelectorAll("thead th").forEach(function (th) { th.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.tBodies[0].append.apply(table.tBodies[0], rows);
  }
  document.querySelectorAll("table").forEach(function (table) {
    table.querySelectorAll("thead th").forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", function () { sort(table, head, column); });
    });
  });
  document.querySelectorAll("[data-filter]").forEach(function (place) {
    var label = document.createElement("label");
    var input = document.createElement("input");
    var rows = place.querySelector("tbody").rows;
    input.type = "search";
    label.append("Show only rows with ", input);
    place.before(label);
    input.addEventListener("input", function () {
      var wanted = input.value.toLowerCase();
      Array.from(rows).forEach(function (row) {
        row.hidden = row.textContent.toLowerCase().indexOf(wanted) < 0;
      });
    });
  });
}());
