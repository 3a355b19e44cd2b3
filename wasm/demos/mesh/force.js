// Where the nodes stand: those of this page push each other off and are drawn together by links;
// those outside stand on the rim.

/** How far from the edge the rim is, and how far those inside stay. */
const RIM = 26;
const INNER = 74;

export class Layout {
  #nodes = new Map(); // of each PeerId: { x, y, dx, dy, outside, placed, angle }

  get(peerId) {
    return this.#nodes.get(peerId);
  }

  entries() {
    return this.#nodes.entries();
  }

  /** Sets the peers that are there; `anchor` says near which one a newcomer begins. */
  keep(inside, outside, anchor, width, height) {
    const there = new Set([...inside, ...outside]);
    for (const peerId of this.#nodes.keys()) if (!there.has(peerId)) this.#nodes.delete(peerId);
    for (const peerId of inside) {
      const near = this.#nodes.get(anchor(peerId));
      const angle = Math.random() * 2 * Math.PI;
      const at = near && !near.outside ? near : { x: width / 2, y: height / 2 };
      this.#put(peerId, at.x + Math.cos(angle) * 60, at.y + Math.sin(angle) * 60, false);
    }
    for (const peerId of outside) this.#put(peerId, 0, 0, true);
  }

  #put(peerId, x, y, outside) {
    const node = this.#nodes.get(peerId);
    if (node && node.outside === outside) return;
    this.#nodes.set(peerId, { x, y, dx: 0, dy: 0, outside, placed: !outside, angle: 0 });
  }

  /** One step of a frame; true while anything still moves. */
  step(links, width, height) {
    const nodes = [...this.#nodes.values()];
    const inside = nodes.filter((node) => !node.outside);
    // The room that each has decides how far they keep apart.
    const room = Math.sqrt((width * height) / Math.max(4, inside.length));
    const length = Math.min(room * 0.8, 240);
    for (const node of inside) {
      node.dx += (width / 2 - node.x) * 0.0016 * (height / width);
      node.dy += (height / 2 - node.y) * 0.0016 * (width / height);
      for (const other of nodes) {
        if (other === node || !other.placed) continue;
        let [x, y] = [node.x - other.x, node.y - other.y];
        if (x === 0 && y === 0) [x, y] = [Math.random() - 0.5, Math.random() - 0.5];
        const square = Math.max(x * x + y * y, 100);
        const push = (0.5 * length * length) / square / Math.sqrt(square);
        node.dx += x * push;
        node.dy += y * push;
      }
    }
    for (const { one, other } of links) {
      const [a, b] = [this.#nodes.get(one), this.#nodes.get(other)];
      if (!a || !b || a.outside || b.outside) continue;
      const [x, y] = [b.x - a.x, b.y - a.y];
      const distance = Math.hypot(x, y) || 1;
      const pull = ((distance - length) / distance) * 0.004;
      a.dx += x * pull;
      a.dy += y * pull;
      b.dx -= x * pull;
      b.dy -= y * pull;
    }
    let fastest = 0;
    for (const node of inside) {
      node.dx *= 0.86;
      node.dy *= 0.86;
      node.x += node.dx;
      node.y += node.dy;
      stayInside(node, width, height);
      fastest = Math.max(fastest, Math.hypot(node.dx, node.dy));
    }
    return this.#rim(links, width, height) || fastest > 0.02;
  }

  /** Those outside share the rim, each as near as may be to those it is linked to. */
  #rim(links, width, height) {
    const outside = [...this.#nodes].filter(([, node]) => node.outside);
    const wanted = outside.map(([peerId, node]) => {
      const ends = links.filter(({ one, other }) => one === peerId || other === peerId);
      let [x, y] = [0, 0];
      for (const { one, other } of ends) {
        const end = this.#nodes.get(one === peerId ? other : one);
        if (!end || end.outside) continue;
        x += (end.x - width / 2) / width;
        y += (end.y - height / 2) / height;
      }
      return { node, angle: Math.atan2(y, x || 0.001) };
    });
    wanted.sort((one, other) => one.angle - other.angle);
    let moved = false;
    const slot = (2 * Math.PI) / Math.max(1, wanted.length);
    // Evenly apart, turned as a whole to where they want to be on average.
    let [cos, sin] = [0, 0];
    wanted.forEach(({ angle }, i) => {
      cos += Math.cos(angle - i * slot);
      sin += Math.sin(angle - i * slot);
    });
    const turn = Math.atan2(sin, cos || 0.001);
    wanted.forEach(({ node }, i) => {
      const wish = turn + i * slot;
      // Along the rim, the shorter way round; a newcomer is there at once.
      const way = node.placed ? Math.atan2(Math.sin(wish - node.angle), Math.cos(wish - node.angle)) : 0;
      node.angle = node.placed ? node.angle + way * 0.06 : wish;
      node.placed = true;
      moved ||= Math.abs(way) > 0.003;
      [node.x, node.y] = onRim(node.angle, width, height);
    });
    return moved;
  }
}

/** The point of the rim (an ellipse) in a direction. */
function onRim(angle, width, height) {
  return [
    width / 2 + Math.cos(angle) * (width / 2 - RIM),
    height / 2 + Math.sin(angle) * (height / 2 - RIM),
  ];
}

/** Those of this page keep away from the rim. */
function stayInside(node, width, height) {
  const [x, y] = [node.x - width / 2, node.y - height / 2];
  const out = Math.hypot(x / (width / 2 - INNER), y / (height / 2 - INNER));
  if (out <= 1) return;
  node.x = width / 2 + x / out;
  node.y = height / 2 + y / out;
}
