"use strict";
// Texts are only ever set as text: nothing that a model or a user writes is
// read as HTML.
const byId = (id) => document.getElementById(id);
const percent = (x) => `${Math.round(100 * x)} %`;
// Neighbouring numbers get hues far apart.
const hueOf = (index) => (index * 137.5 + 205) % 360;

let models = [];
let answers = null;
let asked = 0;

function make(kind, className, text) {
  const element = document.createElement(kind);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function say(text, isWrong = false) {
  const status = byId("status");
  status.textContent = text;
  status.classList.toggle("wrong", isWrong);
}

// The direction of a text, by its first letter.
function directionOf(text) {
  const letter = text.match(/\p{L}/u);
  const toLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|\ud83a|\ud803/;
  return letter && toLeft.test(letter[0]) ? "rtl" : "ltr";
}

// Tags that begin with B- and I- are of one entity, and get one colour.
function hueOfTag(tag, model) {
  const names = [...new Set((model.labels || []).map(entityOf))];
  const index = names.indexOf(entityOf(tag));
  if (index >= 0) return hueOf(index);
  // An export that does not name its labels.
  let sum = 0;
  for (const letter of tag) sum += letter.codePointAt(0);
  return hueOf(sum % 64);
}
const entityOf = (tag) => tag.replace(/^[BI]-/, "");

function strip(share) {
  const element = make("span", "strip");
  element.style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
  return element;
}

function bars(odds, model) {
  const list = make("dl", "odds");
  for (const [label, part] of odds) {
    const bar = make("dd", "bar");
    bar.style.setProperty("--part", `${(100 * part).toFixed(1)}%`);
    bar.style.setProperty("--hue", hueOfTag(label, model));
    bar.setAttribute("aria-hidden", "true");
    list.append(make("dt", "", label), bar,
      make("dd", "", `${(100 * part).toFixed(1)} %`));
  }
  return list;
}

// What is said of a share, of a word or on average.
const shareText = (model, share) =>
  `${percent(share)} from block ${model.fusion_layer}`;

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

function wordButton(word, model, other) {
  const button = make("button", "word");
  button.type = "button";
  button.style.setProperty("--hue", hueOfTag(word.tag, model));
  const bdi = make("bdi", "", word.text);
  const verdict = make("span", "verdict");
  verdict.dir = "ltr";
  verdict.append(make("span", "tag", word.tag), " ",
    make("span", "score", percent(word.score)));
  button.append(bdi, verdict);
  let said = `${word.text}: ${word.tag}, ${percent(word.score)}`;
  if (word.share !== null) {
    button.append(strip(word.share));
    said += `, ${shareText(model, word.share)}`;
  }
  if (other && other.tag !== word.tag) {
    button.classList.add("differs");
    said += `; the other model says ${other.tag}`;
  }
  button.setAttribute("aria-label", said);
  button.setAttribute("aria-expanded", "false");
  return button;
}

function showTagged(article, answer, model, other) {
  const list = make("ol");
  list.dir = directionOf(answer.words.map((word) => word.text).join(" "));
  const panel = make("div");
  panel.setAttribute("aria-live", "polite");
  const buttons = answer.words.map((word, i) =>
    wordButton(word, model, other && other.words[i]));
  const open = (index) => {
    const wasOpen = buttons[index].getAttribute("aria-expanded") === "true";
    for (const b of buttons) b.setAttribute("aria-expanded", "false");
    panel.replaceChildren();
    if (wasOpen) return;
    buttons[index].setAttribute("aria-expanded", "true");
    const word = answer.words[index];
    const title = make("p", "odds-title");
    title.append(make("bdi", "", word.text));
    if (word.share !== null) title.append(`: ${shareText(model, word.share)}`);
    panel.append(title, bars(word.odds, model));
  };
  // One stop of the tab key for all words; arrows go from word to word.
  const focus = (index) => {
    for (const b of buttons) b.tabIndex = -1;
    buttons[index].tabIndex = 0;
    buttons[index].focus();
  };
  buttons.forEach((button, i) => {
    button.tabIndex = i === 0 ? 0 : -1;
    button.addEventListener("click", () => { focus(i); open(i); });
    button.addEventListener("keydown", (event) => {
      const forward = list.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
      const back = list.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
      const to = { [forward]: i + 1, [back]: i - 1, Home: 0,
        End: buttons.length - 1 }[event.key];
      if (event.key === "Escape" &&
          button.getAttribute("aria-expanded") === "true") open(i);
      if (to === undefined || to < 0 || to >= buttons.length) return;
      event.preventDefault();
      focus(to);
    });
    const item = make("li");
    item.append(button);
    list.append(item);
  });
  article.append(list, panel);
}

function showClassified(article, answer, model, other) {
  const label = make("p", "odds-title", answer.label);
  if (other && other.label !== answer.label) {
    label.textContent += ` (the other model says ${other.label})`;
  }
  article.append(label, bars(answer.odds, model));
  if (!model.shows_share) return;
  answer.texts.forEach((pieces, i) => {
    const title = answer.texts.length > 1
      ? `Pieces of the ${i ? "second" : "first"} text` : "Pieces of the text";
    const list = make("ol", "pieces");
    list.dir = directionOf(pieces.map((piece) => piece.text).join(""));
    for (const piece of pieces) {
      const item = make("li", piece.starts ? "starts" : "");
      const box = make("div", "piece");
      box.append(make("bdi", "", piece.text || "\u2581"), strip(piece.share));
      box.title = shareText(model, piece.share);
      box.setAttribute("role", "img");
      box.setAttribute("aria-label",
        `${piece.text}: ${shareText(model, piece.share)}`);
      item.append(box);
      list.append(item);
    }
    article.append(make("h3", "", title), list);
  });
}

function sharesOf(answer) {
  const units = answer.words || answer.texts.flat();
  return units.map((unit) => unit.share).filter((share) => share !== null);
}

function show() {
  if (!answers) return;
  const both = models.length > 1 && byId("compare").checked;
  const results = byId("results");
  results.classList.toggle("both", both);
  results.replaceChildren();
  const shown = both ? models : models.slice(0, 1);
  shown.forEach((model, i) => {
    const article = make("article");
    const title = make("h2", "", titleOf(model));
    title.id = `model-${i}`;
    article.setAttribute("aria-labelledby", title.id);
    const shares = sharesOf(answers[i]);
    let note = model.name;
    if (shares.length) note += `; on average ${shareText(model, mean(shares))}`;
    article.append(title, make("p", "note", note));
    const other = both ? answers[1 - i] : null;
    const draw = model.kind === "tagger" ? showTagged : showClassified;
    draw(article, answers[i], model, other);
    results.append(article);
  });
  const fused = shown.find((model) => model.shows_share);
  byId("key").hidden = !fused;
  if (fused) {
    byId("key-label").textContent =
      "The strip under a word: how much of what the head reads there comes " +
      `from block ${fused.fusion_layer}; the rest comes from the last block.`;
  }
  say(summary(both));
}

function summary(both) {
  const answer = answers[0];
  if (!answer.words) return "Answered.";
  const count = answer.words.length;
  const text = `${count} ${count === 1 ? "word" : "words"} tagged.`;
  if (!both) return text;
  const differing = answer.words.filter(
    (word, i) => word.tag !== answers[1].words[i].tag).length;
  return text + (differing ? ` The models differ on ${differing}.`
    : " The models agree.");
}

const titleOf = (model) => model.system || "Export";

async function ask() {
  const texts = [byId("first").value];
  if (models[0].kind === "classifier" && byId("second").value.trim()) {
    texts.push(byId("second").value);
  }
  if (!texts[0].trim()) {
    say("Write or paste a text first.", true);
    byId("first").focus();
    return;
  }
  // Only the newest request is shown.
  const number = ++asked;
  byId("ask").disabled = true;
  say("Asking.");
  try {
    const reply = await fetch("answer", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ texts }),
    });
    const value = await reply.json();
    if (number !== asked) return;
    if (!reply.ok) throw new Error(value.error);
    answers = value.answers;
    show();
  } catch (error) {
    if (number === asked) say(`${error.message}`, true);
  } finally {
    if (number === asked) byId("ask").disabled = false;
  }
}

function offer(examples) {
  const box = byId("examples");
  for (const [code, texts] of examples) {
    let name = code;
    try {
      name = new Intl.DisplayNames([code], { type: "language" }).of(code);
    } catch { /* A code that the browser does not know is shown itself. */ }
    const button = make("button", "", name);
    button.type = "button";
    button.lang = code;
    button.addEventListener("click", () => {
      byId("first").value = texts[0];
      byId("second").value = texts[1] || "";
      ask();
    });
    box.append(button);
  }
  box.hidden = examples.length === 0;
}

async function start() {
  const about = await (await fetch("about")).json();
  models = about.models;
  const isPair = models[0].kind === "classifier";
  byId("second-field").hidden = !isPair;
  if (isPair) byId("first-label").textContent = "First text";
  byId("about").textContent = models.map((model) =>
    model.system ? `${model.system} (${model.name})` : model.name
  ).join(" and ");
  if (models.length > 1) {
    byId("compare-field").hidden = false;
    byId("compare-label").textContent =
      `${titleOf(models[0])} and ${titleOf(models[1])} side by side`;
    byId("compare").checked = true;
    byId("compare").addEventListener("change", show);
  }
  offer(about.examples);
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  for (const name of ["first", "second"]) {
    byId(name).addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        ask();
      }
    });
  }
  byId("first").focus();
}

start().catch((error) => say(`The page did not start: ${error.message}`, true));
