// HTTP client of the page: polling, and acts of this tab's person.

import { $, say, shown } from "./dom.js";
import { person, phone } from "./state.js";

const VERDICTS = { timeout: "超时", "no-connection": "连接不上", "http-not-200": "报错" };
const PATIENCE = 8000, PATIENCE_FOR_ACTS = 60000;
const PACE = 1000, PACE_HIDDEN = 5000;

class Away extends Error {}

/** Ignores errors that the connection banner already shows; rethrows every other error. */
export function unlessAway(error) {
  if (!(error instanceof Away)) throw error;
}

export async function ask(address, body) {
  const how = { signal: AbortSignal.timeout(body ? PATIENCE_FOR_ACTS : PATIENCE) };
  if (body) Object.assign(how, { method: "POST", body: JSON.stringify(body) });
  try {
    const answer = await fetch(address, how);
    const said = { status: answer.status, body: await answer.json() };
    shown("trouble", false);
    return said;
  } catch (cause) {
    shown("trouble", true);
    throw new Away("模拟微信没有应答", { cause });
  }
}

/** Runs an act whose result the caller needs. Throws a refusal in WeChat's words. */
export async function told(name, body = {}) {
  const { status, body: result } = await ask(`/_emu/${name}`, { person, ...body });
  if (status !== 200) throw { errCode: -1, errMsg: result.error };
  if (result.errcode) throw { errCode: result.errcode, errMsg: result.errmsg };
  judge(result.attempts ?? []);
  return result;
}

let turn = Promise.resolve();

/** Runs calls in sequence, because a later one depends on what an earlier one switched off. */
export function inTurn(work) {
  const mine = turn.then(work);
  turn = mine.catch(() => undefined);
  return mine;
}

/** Runs an act as this person; null when the emulator did not accept it. */
export async function act(name, body = {}) {
  phone.waiting += 1;
  drawWaiting();
  try {
    return await told(name, body);
  } catch (error) {
    if (error instanceof Error) unlessAway(error);
    else say(error.errMsg === "the code has expired" ? "这个二维码已经过期。" : "模拟微信没有接受这个操作。");
    return null;
  } finally {
    phone.waiting -= 1;
    drawWaiting();
    refresh();
  }
}

/** Shows a message when the account's own server did not respond correctly. */
function judge(attempts) {
  const verdict = attempts.at(-1)?.verdict;
  if (verdict === undefined) return;
  const bad = !verdict.startsWith("ok");
  shown("away", bad);
  $("away").textContent = bad
    ? `公众号的服务器没有正常应答（${VERDICTS[verdict] ?? verdict}）` : "";
}

function drawWaiting() {
  shown("waiting", phone.waiting > 0);
  for (const id of ["follow", "unfollow"]) $(id).disabled = phone.waiting > 0;
}

// ---- polling

let timer = 0, asking = false, reading = null;

/** Sets the function that is polled every second. */
export function readWith(read) {
  reading = read;
  refresh();
}

export async function refresh() {
  clearTimeout(timer);
  if (asking) {
    asking = "again";
    return;
  }
  asking = true;
  try {
    await reading();
    shown("loading", false);
  } catch (error) {
    unlessAway(error);
  } finally {
    const again = asking === "again";
    asking = false;
    timer = setTimeout(refresh, again ? 0 : document.hidden ? PACE_HIDDEN : PACE);
  }
}
