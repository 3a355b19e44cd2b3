// A field for a query, with presets and with what is wrong said below it.
import { $, element } from "/demo.js";

/**
 * Subscribes with what the field holds, and again whenever that changes. A query that is not taken
 * is explained, and the subscription before it goes on.
 *
 * `subscribe(query)` gives the new subscription; `presets` are `[name, query]`.
 */
export function queryField({ presets, subscribe }) {
  const [form, field, fault, chips] = [$("query"), $("query-text"), $("query-fault"), $("presets")];
  let current = null;

  function explain(error) {
    field.setAttribute("aria-invalid", "true");
    fault.replaceChildren(...explanation(error));
    fault.hidden = false;
  }

  function take() {
    let next;
    try {
      next = subscribe(parse(field.value));
    } catch (error) {
      explain(error);
      return;
    }
    const previous = current;
    current = next;
    // Where the query is looked at elsewhere (in the tab that has the peer) a fault comes later.
    next.on?.("error", (error) => {
      if (current === next) explain(error);
    });
    previous?.close();
    field.removeAttribute("aria-invalid");
    fault.hidden = true;
    press();
  }

  function press() {
    const now = compact(field.value);
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chip.dataset.query === now));
  }

  for (const [name, query] of presets) {
    const chip = element("button", "chip", name);
    chip.type = "button";
    chip.dataset.query = JSON.stringify(query);
    chip.addEventListener("click", () => {
      field.value = spaced(query);
      take();
    });
    chips.append(chip);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      take();
    }
  });
  field.value = spaced(presets[0][1]);
  take();
}

/** Reads JSON; the quotation marks that a phone's keyboard makes are taken for plain ones. */
function parse(text) {
  const plain = text.replace(/[“”„«»]/g, '"').trim() || "{}";
  let query;
  try {
    query = JSON.parse(plain);
  } catch (error) {
    throw new Error(`This is not JSON yet: ${error.message}. Names and texts need "double quotes".`);
  }
  if (query === null || typeof query !== "object" || Array.isArray(query)) {
    throw new Error('A query is an object, like {"magnitude": {"$gte": 4.5}}.');
  }
  return query;
}

/** The message of an error, and where in the query it stands. */
function explanation({ message, path }) {
  if (!path) return [message];
  // Some messages begin with the place themselves.
  return [element("code", "", path), `: ${message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message}`];
}

function compact(text) {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return "";
  }
}

/** JSON on one line that can be read. */
function spaced(query) {
  return JSON.stringify(query, null, 1).replace(/\n\s*/g, " ").replace(/([{[]) /g, "$1").replace(/ ([}\]])/g, "$1");
}
