// Selecting people: a searchable list, and checkboxes for a group's members.

import { face, make } from "./dom.js";
import { findPeople } from "./find.js";
import { unlessAway } from "./net.js";
import { sheet } from "./sheet.js";
import { person } from "./state.js";

/** Lists all others (except `without`) whose names contain the text; `row` renders one of them. */
export function peopleList(row, without = []) {
  const search = make("input", { type: "search", "aria-label": "按姓名查找", placeholder: "按姓名查找",
    maxlength: 20, autocomplete: "off" });
  const list = make("ul", { class: "plainlist", "aria-label": "人物" });
  const read = async () => {
    try {
      const { items } = await findPeople(search.value.trim());
      const others = items.filter((item) => item.person !== person && !without.includes(item.person));
      list.replaceChildren(...others.map((item) => make("li", {}, row(item))));
      if (others.length === 0) list.append(make("li", { class: "last" }, "没有别的人物。"));
    } catch (error) {
      unlessAway(error);
    }
  };
  search.addEventListener("input", read);
  read();
  return make("div", { class: "searched" }, search, list);
}

/** Lets people be ticked on a sheet; with `named` also asks for a group name. Null when closed. */
export function pickPeople({ title, named = false, without = [] }) {
  const ticked = new Set();
  const name = make("input", { type: "text", "aria-label": "群名", placeholder: "群名，如：三年级家长群",
    maxlength: 30, autocomplete: "off" });
  const lack = make("p", { class: "lack", role: "status" });
  const row = (item) => {
    const box = make("input", { type: "checkbox", checked: ticked.has(item.person) });
    box.addEventListener("change", () => ticked[box.checked ? "add" : "delete"](item.person));
    return make("label", { class: "tick" }, box, face(item.name, item.person), item.name);
  };
  return sheet({
    title,
    fill: () => [...(named ? [name] : []), peopleList(row, without), lack],
    buttons: [["确定", () => {
      if (named && !name.value.trim()) lack.textContent = "请先给群起个名字。";
      else if (ticked.size === 0) lack.textContent = "请至少选一个人。";
      else return { name: name.value.trim(), people: [...ticked] };
      return undefined;
    }, "main"], ["取消", null, "plain"]],
  });
}
