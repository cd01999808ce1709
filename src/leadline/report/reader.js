"use strict";
{
  const data = JSON.parse(document.getElementById("reader-data").textContent);
  const filter = document.getElementById("reader-filter");
  const list = document.getElementById("reader-list");
  const strip = document.getElementById("reader-strip");
  const says = document.getElementById("reader-says");
  const width = data.units * data.directions;
  const rowHeight = Math.max(1, Math.min(3, Math.floor(160 / width) + 1));
  const ways = data.directions === 2 ? ["forward", "backward"] : [""];
  let current = null, step = null, unit = null;

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const signed = (text) => new Int8Array(bytes(text).buffer);
  const unpack = (sequence) => {
    if (!sequence.unpacked) {
      sequence.unpacked = { states: sequence.states.map(signed), depends: sequence.depends.map(bytes) };
    }
    return sequence.unpacked;
  };
  const make = (tag, text, kind) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const shown = (sequence) => {
    const joined = sequence.steps.every((s) => s.length === 1) ? sequence.steps.join("") : sequence.steps.join(" ");
    return joined.length > 60 ? joined.slice(0, 60) + " ..." : joined;
  };
  const unitName = (u) => (ways[0] ? `unit ${u % data.units}, ${ways[Math.floor(u / data.units)]}` : `unit ${u}`);
  const at = (sequence, i) => {
    const space = sequence.steps.every((s) => s.length === 1) ? "" : " ";
    const before = sequence.steps.slice(Math.max(0, i - 8), i).join(space);
    return `${before}${space}[${sequence.steps[i]}]${space}${sequence.steps.slice(i + 1, i + 9).join(space)}`.trim();
  };

  function fill() {
    const wanted = filter.value.trim().toLowerCase();
    list.replaceChildren();
    data.sequences.forEach((sequence, i) => {
      const text = shown(sequence);
      if (!wanted || text.toLowerCase().includes(wanted) || sequence.name.toLowerCase().includes(wanted)) {
        const option = make("option", text);
        option.value = String(i);
        list.append(option);
      }
    });
    if (list.options.length) {
      list.selectedIndex = 0;
      choose(Number(list.value));
    } else {
      strip.replaceChildren();
      says.replaceChildren(make("p", "No stored sequence fits."));
    }
  }

  function choose(i) {
    current = data.sequences[i];
    step = null;
    build();
    tell();
  }

  function build() {
    const count = current.steps.length;
    const longest = Math.max(...current.steps.map((s) => s.length));
    const cell = Math.max(14, Math.min(44, count > 60 ? 16 : 12 + 8 * Math.min(longest, 4)));
    strip.style.gridTemplateColumns = `auto repeat(${count}, ${cell}px)`;
    strip.replaceChildren(make("span", "", "name"));
    current.steps.forEach((text, i) => {
      const button = make("button", text);
      button.type = "button";
      button.title = `step ${i + 1}`;
      button.dataset.step = String(i);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => pick(i));
      strip.append(button);
    });
    if (current.targets.length === count) {
      strip.append(make("span", "target", "name"));
      current.targets.forEach((text) => strip.append(make("span", text, "target")));
    }
    for (let layer = data.layers - 1; layer >= 0; layer -= 1) {
      for (const kind of ["from", "goes"]) {
        strip.append(make("span", kind === "from" ? `layer ${layer + 1} depends on` : "its input goes to", "name"));
        for (let i = 0; i < count; i += 1) {
          const share = make("span", undefined, kind === "goes" ? "share goes" : "share");
          share.dataset.share = `${layer}-${kind}-${i}`;
          share.style.opacity = "0";
          strip.append(share);
        }
      }
      strip.append(make("span", `layer ${layer + 1}, ${width} units`, "name"));
      const canvas = make("canvas");
      canvas.width = count;
      canvas.height = width;
      canvas.style.width = `${count * cell}px`;
      canvas.style.height = `${width * rowHeight}px`;
      canvas.style.gridColumn = `2 / span ${count}`;
      canvas.tabIndex = 0;
      canvas.dataset.layer = String(layer);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `States of layer ${layer + 1}: a row for each unit, a column for each step`);
      canvas.addEventListener("click", (event) => {
        const box = canvas.getBoundingClientRect();
        const u = Math.floor(((event.clientY - box.top) / box.height) * width);
        unit = { layer, u: Math.min(width - 1, Math.max(0, u)) };
        pick(Math.min(count - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * count))));
      });
      canvas.addEventListener("keydown", (event) => {
        const moves = { ArrowUp: -1, ArrowDown: 1 };
        if (event.key in moves) {
          const from = unit && unit.layer === layer ? unit.u : moves[event.key] < 0 ? width : -1;
          unit = { layer, u: Math.min(width - 1, Math.max(0, from + moves[event.key])) };
          event.preventDefault();
          draw();
          tell();
        }
      });
      strip.append(canvas);
    }
    draw();
  }

  function pick(i) {
    step = i;
    for (const button of strip.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.step) === i));
    }
    draw();
    tell();
  }

  function colours() {
    const style = getComputedStyle(document.documentElement);
    return ["--blue", "--orange", "--ink"].map((name) => {
      const hex = style.getPropertyValue(name).trim();
      return [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
    });
  }

  function draw() {
    const [high, low, ink] = colours();
    const count = current.steps.length;
    const { states, depends } = unpack(current);
    for (const canvas of strip.querySelectorAll("canvas")) {
      const layer = Number(canvas.dataset.layer);
      const context = canvas.getContext("2d");
      const image = context.createImageData(count, width);
      for (let t = 0; t < count; t += 1) {
        for (let u = 0; u < width; u += 1) {
          const value = states[layer][t * width + u] / 127;
          const marked = unit && unit.layer === layer && unit.u === u;
          const [r, g, b] = marked ? ink : value > 0 ? high : low;
          const shade = marked ? 0.25 + 0.75 * Math.abs(value) : Math.abs(value);
          image.data.set([r, g, b, Math.round(255 * shade)], 4 * (u * count + t));
        }
      }
      context.putImageData(image, 0, 0);
      for (let i = 0; i < count; i += 1) {
        const from = step === null ? 0 : depends[layer][step * count + i] / 254;
        const goes = step === null ? 0 : depends[layer][i * count + step] / 254;
        strip.querySelector(`[data-share="${layer}-from-${i}"]`).style.opacity = from.toFixed(3);
        strip.querySelector(`[data-share="${layer}-goes-${i}"]`).style.opacity = goes.toFixed(3);
      }
    }
  }

  function tell() {
    const lines = [];
    if (step === null) lines.push("No step chosen yet.");
    else {
      const count = current.steps.length;
      lines.push(`Step ${step + 1}, ${current.steps[step]}, in ${at(current, step)}.`);
      const { depends } = unpack(current);
      for (let layer = 0; layer < data.layers; layer += 1) {
        const shares = [...Array(count).keys()].filter((i) => i !== step);
        shares.sort((a, b) => depends[layer][step * count + b] - depends[layer][step * count + a]);
        const most = shares.slice(0, 3).map((i) => {
          const share = Math.round((100 * depends[layer][step * count + i]) / 254);
          return `${current.steps[i]} (step ${i + 1}, ${share} %)`;
        });
        const own = Math.round((100 * depends[layer][step * count + step]) / 254);
        lines.push(`Layer ${layer + 1} here: its own input ${own} % of the largest share` +
          (most.length ? `, beside it ${most.join(", ")}.` : "."));
      }
    }
    if (unit) {
      const found = [];
      data.sequences.forEach((sequence) => {
        const values = unpack(sequence).states[unit.layer];
        sequence.steps.forEach((_, i) => found.push([values[i * width + unit.u] / 127, sequence, i]));
      });
      found.sort((a, b) => b[0] - a[0]);
      const say = (some) => some.map(([, sequence, i]) => at(sequence, i)).join(", ");
      lines.push(`Layer ${unit.layer + 1}, ${unitName(unit.u)}: highest at ${say(found.slice(0, 6))}.`);
      lines.push(`Lowest at ${say(found.slice(-6).reverse())}.`);
    }
    says.replaceChildren(...lines.map((line) => make("p", line)));
  }

  filter.addEventListener("input", fill);
  list.addEventListener("change", () => choose(Number(list.value)));
  strip.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    pick(Math.min(current.steps.length - 1, Math.max(0, (step === null ? -1 : step) + moves[event.key])));
    if (event.target.tagName === "BUTTON") strip.querySelector(`button[data-step="${step}"]`).focus();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  fill();
}
