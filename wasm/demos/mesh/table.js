// The peers of the page in rows that stay the same elements while what they say changes.
import { element, short } from "/demo.js";
import { paintOf } from "./picture.js";

export class Table {
  #body;
  #remove;
  #select;
  #rows = new Map(); // of each member

  constructor(body, { remove, select }) {
    this.#body = body;
    this.#remove = remove;
    this.#select = select;
  }

  tell(members, selected) {
    for (const [member, { line }] of this.#rows) {
      if (members.includes(member)) continue;
      line.remove();
      this.#rows.delete(member);
    }
    const names = new Map(members.map(({ peerId, letter }) => [peerId, letter]));
    for (const member of members) {
      let row = this.#rows.get(member);
      if (!row) {
        row = this.#row(member);
        this.#rows.set(member, row);
        this.#body.append(row.line);
      }
      this.#fill(row, member, names, selected, members.length > 1);
    }
  }

  #row(member) {
    const line = element("tr");
    const mark = element("button", "mark", member.letter);
    mark.setAttribute("aria-label", `Select peer ${member.letter}`);
    mark.addEventListener("click", () => this.#select(member.peerId));
    const gone = element("button", "", "Remove");
    gone.setAttribute("aria-label", `Remove peer ${member.letter}`);
    gone.addEventListener("click", () => this.#remove(member));
    const texts = ["short", "", "", "", ""].map((name) => element("span", name));
    for (const cell of [mark, ...texts, gone]) line.insertCell().append(cell);
    return { line, mark, texts, gone };
  }

  #fill({ line, mark, texts, gone }, { peerId, status }, names, selected, removable) {
    const active = status?.links.filter(({ state }) => state === "active") ?? [];
    const known = active.map(({ peer }) => names.get(peer)).filter(Boolean).sort();
    const others = active.length - known.length;
    const eager = active.filter((link) => link.eager).length;
    const said = [
      peerId ? short(peerId) : "starting …",
      known.join(" ") + (others ? ` +${others}` : ""),
      `${eager} / ${active.length - eager}`,
      String(status?.counters.delivered ?? 0),
      String(status?.counters.duplicates ?? 0),
    ];
    said.forEach((text, i) => {
      if (texts[i].textContent !== text) texts[i].textContent = text;
    });
    if (peerId) mark.style.background = paintOf(peerId);
    mark.disabled = !peerId;
    gone.disabled = !removable;
    line.ariaSelected = String(peerId !== "" && peerId === selected);
  }
}
