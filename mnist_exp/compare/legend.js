// The name of a group, at its row or in a legend, hides it in all figures of the page.
const hidden = new Set();
const named = [...document.querySelectorAll("[data-group]")];
const labels = new Set(named.map((one) => one.dataset.group));
const buttons = named.filter((one) => one.matches(".row, li")).map((one) => {
  const name = one.querySelector(".name b") ?? one;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toggle";
  button.append(...name.childNodes);
  button.title = "A click hides the group or shows it again; with Shift, or a double click, it alone is shown";
  name.append(button);
  button.addEventListener("click", (event) => {
    if (event.shiftKey) showOnly(one.dataset.group);
    else if (event.detail < 2) toggle(one.dataset.group);
  });
  button.addEventListener("dblclick", () => showOnly(one.dataset.group));
  return [button, one.dataset.group];
});

function toggle(label) {
  if (!hidden.delete(label)) hidden.add(label);
  apply();
}

// Hide all other groups; if they are hidden already, show them.
function showOnly(label) {
  const isAlone = [...labels].every((other) => other === label || hidden.has(other));
  hidden.clear();
  if (!isAlone) labels.forEach((other) => other !== label && hidden.add(other));
  apply();
}

function apply() {
  named.forEach((one) => one.classList.toggle("off", hidden.has(one.dataset.group)));
  buttons.forEach(([button, label]) => button.setAttribute("aria-pressed", String(!hidden.has(label))));
  figures.filter(({ root }) => root.querySelector("[data-group]")).forEach((figure) => figure.fit());
}
apply();
