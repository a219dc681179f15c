// The compiler: every fault is said with its file and line, nothing is done twice.

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { build, elementTags } from "../../server/emulator/phone/build.mjs";
import { regionTree } from "../../server/emulator/phone/compile/regions.mjs";
import { NOT_HERE } from "../../server/emulator/phone/compile/tags.mjs";
import { elements } from "./tags.mjs";
import { compiled, onePage, open, plain, write } from "./kit.mjs";

const OWN = { "c/own.json": { component: true }, "c/own.wxml": "<view/>", "c/own.ts": "Component({})" };
const using = (to) => ({ "p/index.json": `{\n  "usingComponents": {\n    "own": "${to}"\n  }\n}` });

const FAULTS = [
  ["an unknown tag", onePage("<view>\n<marquee/></view>"), /^p\/index\.wxml:2: <marquee> is neither built in nor in usingComponents$/],
  ["an element that the phone lacks", onePage("<view/>\n<video/>"), /^p\/index\.wxml:2: <video> is one of WeChat's elements that this phone lacks$/],
  ["a bad expression", onePage("<view>\n\n{{a b}}</view>"), /^p\/index\.wxml:3: /],
  ["a missing end tag", onePage("<view>\n<text></view>"), /^p\/index\.wxml:2: missing end tag$/],
  ["a missing page", { "app.json": '{\n "pages": [\n  "p/gone"]}' }, /^app\.json:3: page p\/gone has no p\/gone\.wxml$/],
  ["a missing component", { ...onePage("<own/>"), ...using("/c/gone") }, /^p\/index\.json:3: component <own> is not at \/c\/gone$/],
  ["a component that does not say so", { ...onePage("<own/>"), ...using("/c/own"), ...OWN, "c/own.json": {} }, /^c\/own\.json: a component says "component": true$/],
  ["a missing module", { ...onePage("<view/>"), "p/index.ts": "\nimport './gone'\nPage({})" }, /^p\/index\.ts:2: module \.\/gone is not found$/],
  ["a script that is no script", { ...onePage("<view/>"), "p/index.ts": "\nPage({" }, /^p\/index\.ts:2: /],
  ["a page without a script", { "app.json": { pages: ["p/index"] }, "p/index.wxml": "<view/>" }, /^p\/index\.ts: there is neither \.ts nor \.js$/],
  ["a sheet that is no sheet", { ...onePage("<view/>"), "p/index.wxss": ".a {\n" }, /^p\/index\.wxss:1: /],
  ["a local file in a sheet", { ...onePage("<view/>"), "p/index.wxss": "\n.a { background: url(/a.png) }" }, /^p\/index\.wxss:2: a style sheet cannot use a local file: \/a\.png$/],
  ["a missing sheet", { ...onePage("<view/>"), "p/index.wxss": "@import 'gone.wxss';" }, /^p\/index\.wxss: @import gone\.wxss is not found$/],
  ["a missing template", onePage('<import src="gone.wxml"/>'), /p\/gone\.wxml is missing$/],
  ["a missing wxs", onePage('<wxs src="gone.wxs" module="m"/>'), /gone\.wxs is missing$/],
  ["settings that are no JSON", { ...onePage("<view/>"), "app.json": "{" }, /^app\.json: not JSON: /],
];
/** Two packages beside the main one; `files` go wrong in one of them. */
const parted = (files, more = {}) => ({
  "app.json": { pages: ["a/index"], subPackages: [{ root: "one", pages: ["p"] }, { root: "/two/", pages: ["p"], ...more }] },
  ...Object.fromEntries(["a/index", "one/p", "two/p"].flatMap((path) => [[`${path}.wxml`, "<view/>"], [`${path}.ts`, "Page({})"]])),
  "two/c.json": { component: true }, "two/c.wxml": "<view/>", "two/c.ts": "Component({})", "two/s.wxss": "", "two/w.wxs": "", "shared.ts": "", ...files,
});
const USES = { usingComponents: { c: "/two/c" } };
FAULTS.push(
  ["a star in a sheet", { ...onePage("<view/>"), "p/index.wxss": "\n.a * { top: 0 }" }, /^p\/index\.wxss:2: WeChat's style sheets know no \*$/],
  ["a selector that WeChat does not list", { ...onePage("<view/>"), "p/index.wxss": ".a:hover { top: 0 }" }, /^p\/index\.wxss:1: :hover is not among WeChat's selectors$/],
  ["an attribute selector", { ...onePage("<view/>"), "p/index.wxss": ".a[hidden] { top: 0 }" }, /^p\/index\.wxss:1: attribute selectors are not among WeChat's$/],
  ["a tag selector in a component", { ...onePage("<own/>"), ...using("../c/own"), ...OWN, "c/own.wxss": "view { top: 0 }" }, /^c\/own\.wxss:1: a component's style sheet has no tag selectors$/],
  ["an id selector in a component", { ...onePage("<own/>"), ...using("../c/own"), ...OWN, "c/own.wxss": "#a { top: 0 }" }, /^c\/own\.wxss:1: a component's style sheet has no id selectors$/],
  ["a key that is a binding", onePage('<view wx:for="{{[1]}}" wx:key="{{item}}"/>'), /^p\/index\.wxml:1: data bindings are not allowed for this attribute$/],
  ["a doubled attribute", onePage('<view id="a"\n id="b"/>'), /^p\/index\.wxml:2: duplicated attribute$/],
  ["a capital letter in an attribute", onePage('<view data-aB="1"/>'), /^p\/index\.wxml:1: avoid uppercase letters$/],
);

/** A wxs file with one line that does not belong there. */
const wxs = (line) => ({ ...onePage('<wxs src="w.wxs" module="w"/><view>{{w.a}}</view>'), "p/w.wxs": `var a = 1\n${line}\nmodule.exports = { a: a }` });
const FOREIGN_TO_WXS = {
  let: "let b = 1", const: "const b = 1", "=>": "var b = function () { return [1].map((c) => c) }", class: "class B {}", new: "var b = new A()", try: "try { a = 2 } catch (e) {}",
  "`": "var b = `x`", "...": "var b = [...a]", in: "for (var k in {}) a = k", "regular expressions between slashes: use getRegExp": "var b = 'x'.replace(/a/g, '')",
  destructuring: "var { b } = a", "computed keys": "var b = { [a]: 1 }", "short methods": "var b = { go() { return 1 } }", "short properties": "var b = { a }",
  "default values of parameters": "function b(c = 1) { return c }", Object: "var b = Object.keys({})", "?.": "var b = a?.c", "**": "var b = 2 ** 3", setTimeout: "setTimeout(a, 1)",
};
for (const [name, line] of Object.entries(FOREIGN_TO_WXS))
  FAULTS.push([`in WXS ${name}`, wxs(line), new RegExp(`^p/w\\.wxs:2: WXS has no ${name.replace(/[.?*]/g, "\\$&")}$`)]);
FAULTS.push(["an arrow in a script of a template", onePage('<view/>\n<wxs module="m">\nmodule.exports = { a: () => 1 }</wxs>'), /^p\/index\.wxml:3: WXS has no =>$/]);

test("WXS as WeChat documents it passes", async () => {
  const body = `var b = { class: 1, "in": 2, c: a.new }; // let it be, ${"`"}so${"`"}
    /* const */ var d = a / 2 / 3, e = "x => y"; var f = function (g) { return { h: g, i: g ? a : b } }
    do { a++ } while (a < 3); switch (a) { case "1": break; default: b = getDate(2020, 1) } delete b.c; void 0
    module.exports.j = getRegExp("a", "g").test(JSON.stringify(b)) && typeof Math.max(1, parseInt("2")) === "number" && f.constructor === "Function";`;
  await compiled(wxs(body));
});

const LENIENT = {
  ...onePage('<view wx:for="{{[1, 2]}}" wx:key="{{item}}" data-aB="1" class="a" class="b">{{item}}</view><marquee>走</marquee><video/><gone/><import src="lost.wxml"/>'),
  "p/index.json": { usingComponents: { gone: "./gone" } },
  "p/index.wxss": "/* @import 'gone.wxss'; */\n.a:hover { background: url( 'a.png' ) }",
};

test("of what WeChat warns of, somebody else's program is warned and runs", async () => {
  const warnings = [];
  const phone = await open(LENIENT, { warn: (line) => warnings.push(line) });
  assert.equal(phone.words, "12走");
  assert.deepEqual(warnings, [
    "p/index.json:1: component <gone> is not at ./gone", "p/index.wxml:1: <gone> is neither built in nor in usingComponents", "p/index.wxml:1: <marquee> is neither built in nor in usingComponents", "p/index.wxml:1: <video> is one of WeChat's elements that this phone lacks",
    "p/index.wxml:1: avoid uppercase letters", "p/index.wxml:1: data bindings are not allowed for this attribute", "p/index.wxml:1: duplicated attribute",
    "p/index.wxml:1: p/lost.wxml is missing", "p/index.wxss:2: :hover is not among WeChat's selectors", "p/index.wxss:2: a style sheet cannot use a local file: a.png",
  ]);
  assert.deepEqual(plain(phone.errors), []);
});

test("warnings are told at every build, also where nothing is compiled again", async () => {
  const app = write(LENIENT);
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "phone-out-"));
  const told = async () => {
    const warnings = [];
    fs.rmSync(path.join(out, "stamp"), { force: true });
    await build({ app, out, modules: path.resolve("node_modules"), warn: (line) => warnings.push(line) });
    return warnings;
  };
  try {
    const first = await told();
    assert.equal(first.length, 10);
    assert.deepEqual(await told(), first);
    await assert.rejects(build({ app, out, modules: path.resolve("node_modules"), strict: true }), /^CompileError: p\/index\./);
  } finally {
    fs.rmSync(out, { recursive: true });
  }
});

test("a quoted address far away or of data is none of a local file, and a commented import is none", async () => {
  const sheet = "/* @import 'gone.wxss'; */ .a { background: url(\"data:image/png;base64,AA==\") } .b { mask: url('https://h.example.org/x.png'), url( \"//h.example.org/y\" ), url('#z') }";
  await compiled({ ...onePage("<view/>"), "p/index.wxss": sheet });
  await assert.rejects(compiled({ ...onePage("<view/>"), "p/index.wxss": '.a { background: url("a.png") }' }), /local file: a\.png$/);
});

FAULTS.push(
  ["a script of another package", parted({ "one/p.ts": "\nimport '../two/p'\nPage({})" }), /^one\/p\.ts:2: \.\.\/two\/p lies in package two, and package one cannot see into it$/],
  ["a script of a package that the main one wants", parted({ "a/index.ts": "import '../two/p'\nPage({})" }), /^a\/index\.ts:1: .* lies in package two, and the main package cannot see into it$/],
  ["a component of another package without a placeholder", parted({ "one/p.json": USES }), /^one\/p\.json:1: \/two\/c lies in package two/],
  ["a style of another package", parted({ "one/p.wxss": "@import '../two/s.wxss';" }), /^one\/p\.wxss:1: \.\.\/two\/s\.wxss lies in package two/],
  ["a template of another package", parted({ "one/p.wxml": "<view/>\n<import src='../two/p.wxml'/>" }), /^one\/p\.wxml:2: p lies in package two/],
  ["a wxs of another package", parted({ "one/p.wxml": "<wxs src='../two/w.wxs' module='w'/>" }), /^one\/p\.wxml:1: w lies in package two/],
  ["the main package in an independent one", parted({ "two/p.ts": "import '../shared'\nPage({})" }, { independent: true }), /^two\/p\.ts:1: .* lies in the main package, and package two cannot see into it$/],
);
test("a package sees the main one, and another's component where a placeholder stands for it", async () => {
  await compiled(parted({ "one/p.ts": "import '../shared'\nPage({})", "one/p.json": { ...USES, componentPlaceholder: { c: "view" } } }));
});

for (const [what, files, words] of FAULTS)
  test(`${what} is named with its place`, () => assert.rejects(compiled(files), (fault) => fault.name === "CompileError" && words.test(fault.message) || assert.fail(fault.message)));

test("sheets get scopes, lengths of the phone and the tags of its elements", async () => {
  const text = await compiled({ ...onePage("<own/>"), ...using("../c/own"), ...OWN, "app.wxss": "page { --a: 1rpx }", "p/index.wxss": "@import '../x.wxss';\nview > .a::after { width: 50vh }", "x.wxss": "@keyframes k { from { left: 10.5rpx } }", "c/own.wxss": ":host .a:not(.c) { top: 0 } .a:nth-child(odd) { top: 0 }" });
  const sheets = JSON.parse(/^sheets: (.*),$/m.exec(text)[1]);
  assert.match(sheets.app, /wx-page \{ --a: calc\(1 \* var\(--rpx\)\) \}/);
  assert.match(sheets["p/index"], /^@scope \(\[data-page="p\/index"\]\) \{\n@keyframes k \{ from \{ left: calc\(10\.5 \* var\(--rpx\)\) \} \}/);
  assert.match(sheets["p/index"], /wx-view > \.a::after \{ width: calc\(50 \* var\(--vh\)\) \}/);
  assert.match(sheets["c/own"], /\[wx-host="?s1"?\] \.s1--a:not\(\.s1--c\)/);
  assert.match(sheets["c/own"], /\.s1--a:nth-child\(odd\) \{/);
});

test("a host is found by a class that its user gave it, whatever that class' scope", async () => {
  const text = await compiled({ ...onePage("<own/>"), ...using("../c/own"), ...OWN, "c/own.wxss": ":host(.on) .a { top: 0 }" });
  const sheets = JSON.parse(/^sheets: (.*),$/m.exec(text)[1]);
  assert.equal(sheets["c/own"], '[wx-host="s1"]:is(.on,[class$="--on"],[class*="--on "]) .s1--a { top: 0 }');
});

test("event responders in WXS that this phone does not serve are listed with their places", async () => {
  const wxml = '<wxs module="m">module.exports = { go: function (e, owner) { owner.callMethod("go", e) }, stop: function (e) { return false } }</wxs>\n<view bindtouchmove="{{m.go}}" change:hidden="{{m.go}}" bindtap="{{m.stop}}"/><view bindtap="{{name.go}}"/>';
  const text = await compiled(onePage(wxml));
  assert.deepEqual(JSON.parse(/^gaps: (.*),$/m.exec(text)[1]), [
    'p/index.wxml:2: WXS event responder bindtouchmove="{{m.go}}"', 'p/index.wxml:2: WXS event responder change:hidden="{{m.go}}"',
  ]);
});

test("places that no longer exist are not offered", () => {
  const [[code, name, cities]] = regionTree(path.resolve("server/units/data/regions.json"));
  const nanning = cities.find(([, city]) => city === "南宁市")[2].map(([, county]) => county);
  assert.deepEqual([code, name, cities.length, cities.flatMap(([, , counties]) => counties).length], ["450000", "广西壮族自治区", 14, 111]);
  assert.deepEqual([nanning.includes("横州市"), nanning.includes("横县")], [true, false]);
  assert.deepEqual(regionTree("/nowhere"), []);
});

test("a changed script alone leaves runtime, templates and sheets as they were made", async () => {
  const app = write({ ...onePage("<view/>"), "p/index.wxss": "view { top: 0 }" });
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "phone-out-"));
  const made = () => Object.keys(JSON.parse(fs.readFileSync(path.join(out, "cache.json"), "utf8")).results).sort();
  try {
    await build({ app, out, modules: path.resolve("node_modules") });
    const [before, runtime] = [made(), fs.statSync(path.join(out, "runtime.js")).mtimeMs];
    fs.appendFileSync(path.join(app, "p/index.ts"), "\n// later");
    await build({ app, out, modules: path.resolve("node_modules") });
    const kinds = (all) => all.map((key) => key.split(":")[0]);
    assert.deepEqual(kinds(made()), ["script", "sheet", "templates"]);
    assert.deepEqual(kinds(made().filter((key) => !before.includes(key))), ["script"]);
    assert.equal(fs.statSync(path.join(out, "runtime.js")).mtimeMs, runtime);
  } finally {
    fs.rmSync(out, { recursive: true });
  }
});

test("a build that has nothing to do does nothing; one changed file builds again", async () => {
  const app = write({ ...onePage("<view/>"), "assets/a.png": "x", "notes.txt": "no asset" });
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "phone-out-"));
  const modules = path.resolve("node_modules");
  try {
    assert.equal(await build({ app, out, modules }), true);
    assert.equal(await build({ app, out, modules }), false);
    assert.deepEqual(fs.readdirSync(path.join(out, "files"), { recursive: true }).sort(), ["assets", "assets/a.png"]);
    fs.appendFileSync(path.join(app, "p/index.wxml"), "<text/>");
    assert.equal(await build({ app, out, modules }), true);
    fs.writeFileSync(path.join(app, "p/index.wxml"), "<view>");
    await assert.rejects(build({ app, out, modules }), /missing end tag/);
    await assert.rejects(build({ app, out, modules }), /missing end tag/);
  } finally {
    fs.rmSync(out, { recursive: true });
  }
});

test("every element has its file and every file its element, and none of them is called missing", async () => {
  assert.deepEqual([...elementTags()].filter((tag) => NOT_HERE.has(tag)), []);
  assert.deepEqual((await elements()).sort(), [...elementTags()].sort());
});
