// Part of an axis: which values it shows, where its ticks are, and the figures stretched to it.
// Positions are shares of the whole axis, from 0 to 1, from the left or from the top.
const MOST_TICKS = 5;
const TRANSFORMS = {
  linear: {
    of: (value, { cut }) => (cut && value > cut[0] ? Math.max(cut[0], value - cut[1] + cut[0]) : value),
    back: (at, { cut }) => (cut && at > cut[0] ? at + cut[1] - cut[0] : at),
  },
  log: { of: (value, { low }) => Math.log10(Math.max(value, low)), back: (at) => 10 ** at },
  error: {
    of: (value, { smallest_error }) => -Math.log10(Math.max(1 - value, smallest_error)),
    back: (at) => 1 - 10 ** -at,
  },
  asinh: {
    of: (value, { unit }) => Math.asinh(value / unit),
    back: (at, { unit }) => unit * Math.sinh(at),
  },
};

// Multiples of 1, 2, 2.5 or 5 times a power of ten, and how many decimals they have.
function multiples(low, high, least) {
  const rough = Math.max((high - low) / MOST_TICKS, least);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((one) => one * power >= rough * 0.9999 && one * power >= least);
  const step = factor * power;
  const decimals = Math.max(0, (factor === 2.5) - Math.floor(Math.log10(step) + 1e-9));
  const values = [];
  const first = Math.ceil(low / step - 1e-9); // of a large number, one more may be the same number
  const count = Math.floor(high / step + 1e-9) - first;
  for (let i = 0; i <= count; i += 1) values.push({ value: (first + i) * step, decimals });
  return values;
}

// The number between two others that has the fewest digits.
function roundest(low, high) {
  for (let power = Math.ceil(Math.log10(high - low)) + 1; ; power -= 1) {
    for (const factor of [10, 5, 2, 1]) {
      const step = factor * 10 ** power;
      const value = Math.ceil(low / step) * step;
      if (value <= high) return { value, decimals: Math.max(0, -power) };
    }
  }
}

class Axis {
  constructor(root, name, described) {
    this.name = name;
    this.scale = JSON.parse(described);
    this.stretched = [...root.querySelectorAll(`.zoomed[data-along*=${name}]`)];
    this.ticks = new Map(); // of each holder of ticks, as the page was written
    for (const holder of this.stretched) {
      const ticks = [...holder.children].filter((child) => child.matches(".at"));
      if (ticks.length) this.ticks.set(holder, ticks);
    }
    this.from = 0;
    this.to = 1;
  }

  get isWhole() {
    return this.from === 0 && this.to === 1;
  }

  // Show the part from one share of the axis to another.
  show(from, to) {
    const length = Math.min(1, Math.max(to - from, 1e-3));
    this.from = Math.min(Math.max(0, from), 1 - length);
    this.to = this.from + length;
    const [start, size] = this.name === "x" ? ["x", "width"] : ["y", "height"];
    for (const one of this.stretched) {
      one.setAttribute(start, `${(-100 * this.from) / length}%`);
      one.setAttribute(size, `${100 / length}%`);
      one.style.setProperty(`--${this.name}`, length); // keeps marks in shape: page.css
    }
    this.ticks.forEach((ticks, holder) => this.#mark(holder, ticks));
  }

  // Show the part from one share of what is shown now to another.
  showPart(from, to) {
    const length = this.to - this.from;
    this.show(this.from + from * length, this.from + to * length);
  }

  #mark(holder, ticks) {
    const now = this.isWhole ? ticks : this.#parts().map((tick) => this.#tick(ticks[0], tick));
    holder.querySelectorAll(":scope > .at").forEach((old) => old.remove());
    holder.prepend(...now);
  }

  #tick(template, { value, decimals }) {
    const tick = template.cloneNode(true);
    const at = this.#share(value);
    tick.setAttribute(this.name, `${100 * at}%`);
    const text = tick.querySelector("text");
    if (!text) return tick;
    const sign = this.scale.kind === "asinh" && value > 0 ? "+" : "";
    text.textContent = sign + value.toFixed(decimals).replace(/^-0(\.0*)?$/, "0").replace("-", "\u2212");
    if (this.name === "x") {
      const seen = (at - this.from) / (this.to - this.from);
      const anchor = seen < 0.04 ? "start" : seen > 0.96 ? "end" : "middle";
      text.setAttribute("text-anchor", anchor);
    }
    return tick;
  }

  // The ticks of the part that is shown: evenly far apart where the axis is linear.
  #parts() {
    const [low, high] = [this.#value(this.from), this.#value(this.to)].sort((a, b) => a - b);
    const { kind, cut, whole } = this.scale;
    if (kind === "linear" && !(cut && low < cut[1] && high > cut[0])) {
      return multiples(low, high, whole ? 1 : 0);
    }
    const length = this.to - this.from;
    return Array.from({ length: MOST_TICKS }, (_, i) => {
      const ends = [0.3, 0.7].map((part) => this.#value(this.from + (length * (i + part)) / MOST_TICKS));
      return roundest(Math.min(...ends), Math.max(...ends));
    });
  }

  #ends() {
    const { of } = TRANSFORMS[this.scale.kind];
    return [of(this.scale.low, this.scale), of(this.scale.high, this.scale)];
  }

  #value(share) {
    const [low, high] = this.#ends();
    const at = this.name === "x" ? share : 1 - share;
    return TRANSFORMS[this.scale.kind].back(low + at * (high - low), this.scale);
  }

  #share(value) {
    const [low, high] = this.#ends();
    const at = (TRANSFORMS[this.scale.kind].of(value, this.scale) - low) / (high - low);
    return this.name === "x" ? at : 1 - at;
  }
}
