// Cards of the official account: template messages, notices, and articles with their page.

import { make } from "./dom.js";
import { act, ask, inTurn, unlessAway } from "./net.js";
import { openAddress } from "./program.js";
import { sheet } from "./sheet.js";
import { phone } from "./state.js";
import { subscribeNotices } from "./subscribe.js";

const FROM_TEMPLATE = 1043, FROM_NOTICE = 1107;
// Elements of an article that the phone shows; of every other one it shows the text inside.
const SHOWN = new Set(["P", "BR", "STRONG", "B", "EM", "H1", "H2", "H3", "H4", "UL", "OL", "LI",
  "SECTION", "BLOCKQUOTE"]);
const HIDDEN = new Set(["SCRIPT", "STYLE", "IFRAME"]);

/** A template message or a notice: its fields, and the page or the address that it opens. */
export function templateCard(line) {
  const rows = Object.entries(line.data ?? {}).flatMap(([key, value]) =>
    [make("dt", {}, line.names?.[key] ?? key), make("dd", {}, value)]);
  const notice = line.kind === "notice";
  return make("article", { class: "bubble card" },
    make("h2", {}, line.content), make("dl", {}, ...rows),
    ...jump(line, notice ? FROM_NOTICE : FROM_TEMPLATE),
    ...(notice ? [refusal(line)] : []));
}

function jump(line, scene) {
  if (line.page) {
    return [make("button", { class: "into", type: "button", tap: () => openAddress(line.page, scene) },
      "进入小程序查看")];
  }
  return line.url ? [make("span", { class: "address" }, line.url)] : [];
}

function refusal(line) {
  return make("button", {
    class: "into", type: "button", "aria-label": `拒收${line.content}`,
    tap: () => inTurn(() => act("consent", { template_id: line.template_id, result: "turn_off" })),
  }, "拒收这类通知");
}

/** The articles of a mass message: each opens its page. */
export function articleCards(line) {
  return make("div", { class: "bubble news" }, ...line.articles.map((article, index) =>
    make("button", { class: "article", type: "button", tap: () => openArticle(line.msg_id, index) },
      make("img", { src: picture("media_id", article.thumb), alt: "", loading: "lazy" }),
      make("strong", {}, article.title), make("span", { class: "last" }, article.digest))));
}

async function openArticle(number, index) {
  try {
    const { status, body } = await ask(`/_emu/article?msg_id=${number}&index=${index}`);
    if (status !== 200) return;
    const said = await sheet({
      title: body.title,
      fill: () => [body.deleted ? make("p", { class: "last" }, "该内容已被发布者删除") : page(body)],
      buttons: [...(body.deleted ? [] : [["订阅通知", "notices", "main"]]), ["关闭", null, "plain"]],
    });
    if (said === "notices") await subscribeNotices("article", phone.account);
  } catch (error) {
    unlessAway(error);
  }
}

function page(article) {
  const parsed = new DOMParser().parseFromString(article.content, "text/html");
  const by = article.author ? [make("p", { class: "last" }, article.author)] : [];
  return make("div", { class: "page" }, ...by, ...copies(parsed.body));
}

function copies(parent) {
  return [...parent.childNodes].flatMap((node) => {
    if (node.nodeType === Node.TEXT_NODE) return [node.textContent];
    if (node.nodeType !== Node.ELEMENT_NODE || HIDDEN.has(node.tagName)) return [];
    if (node.tagName === "IMG")
      return [make("img", { src: picture("url", node.getAttribute("src") ?? ""), alt: node.alt })];
    const inside = copies(node);
    return SHOWN.has(node.tagName) ? [make(node.tagName, {}, ...inside)] : inside;
  });
}

/** Pictures of WeChat's host are stored in the emulator. */
const picture = (name, value) => `picture?${new URLSearchParams({ [name]: value })}`;
