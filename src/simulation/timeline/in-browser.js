// Draws a timeline page in the browser: only what is in view, so that long runs can be moved through. No library, no network.
(() => {
  const SVG = 'http://www.w3.org/2000/svg';
  const ROW = 66;
  const FAULT_ROW = 15;
  const AXIS = 20;
  const DRAWN_MAX = 4000;
  const SPAN_MIN_MS = 10;
  const data = JSON.parse(document.getElementById('data').textContent);
  /** A row for each chain in the lane of a node. */
  const chains = [...new Set(data.marks.flatMap(({ chain }) => (chain === undefined ? [] : [chain])))].sort((a, b) => a - b);
  const LANE = ROW * Math.max(1, chains.length);
  const plot = document.getElementById('plot');
  const overview = document.getElementById('overview');
  const tip = document.getElementById('tip');
  const status = document.getElementById('status');
  const leftOut = status.textContent;
  const root = document.documentElement;
  const whole = { fromMs: data.whole.fromMs, toMs: Math.max(data.whole.toMs, data.whole.fromMs + SPAN_MIN_MS) };
  const hidden = new Set();
  const rows = stack(data.faults);
  const top = AXIS + Math.max(1, rows.count) * FAULT_ROW + 6;
  const height = top + data.lanes.length * LANE;
  /** Where the last number of a round ends in each row: the next is left out when it would stand on it. */
  const namedTo = new Map();
  const proposals = new Map();
  for (const mark of data.marks) if (mark.kind === 'proposes' && !proposals.has(mark.block)) proposals.set(mark.block, mark);
  let view = padded(data.window);
  let chosen;

  document.querySelector('#names .axis').style.height = `${top}px`;
  for (const name of document.querySelectorAll('#names [data-lane]')) name.style.height = `${LANE}px`;
  if (matchMedia('(prefers-color-scheme: dark)').matches) root.dataset.theme = 'dark';

  // Faults that overlap stand in rows of their own.
  function stack(faults) {
    const ends = [];
    const row = faults.map(({ fromMs, toMs }) => {
      let place = ends.findIndex((end) => end <= fromMs);
      if (place < 0) place = ends.length;
      ends[place] = toMs;
      return place;
    });
    return { count: ends.length, row };
  }

  function padded({ fromMs, toMs }) {
    const margin = Math.max(SPAN_MIN_MS, (toMs - fromMs) * 0.03);
    return { fromMs: fromMs - margin, toMs: toMs + margin };
  }

  function width() {
    return Math.max(200, plot.clientWidth);
  }

  function xOf(atMs) {
    return ((atMs - view.fromMs) / (view.toMs - view.fromMs)) * width();
  }

  function make(parent, name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  function rectangle(parent, kind, fromMs, toMs, y, h, about) {
    const x = Math.max(-2, xOf(fromMs));
    const end = Math.min(width() + 2, xOf(toMs));
    if (end < 0 || x > width()) return;
    make(parent, 'rect', { class: kind, x, y, width: Math.max(1.5, end - x), height: h, 'data-about': about });
  }

  function stepOf(spanMs) {
    const rough = spanMs / (width() / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= rough);
  }

  function draw() {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('height', height);
    svg.setAttribute('class', chosen === undefined ? '' : 'cold');
    data.lanes.forEach((_lane, place) => {
      make(svg, 'rect', { class: place % 2 === 1 ? 'lane odd' : 'lane', x: -2, y: top + place * LANE, width: width() + 4, height: LANE });
      chains.forEach((chain, row) => {
        const name = chain === 0 ? 'beacon' : `shard ${chain}`;
        make(svg, 'text', { class: 'of-round', x: 2, y: top + place * LANE + row * ROW + 62 }, name);
      });
    });
    const step = stepOf(view.toMs - view.fromMs);
    for (let at = Math.ceil(view.fromMs / step) * step; at <= view.toMs; at += step) {
      make(svg, 'line', { class: 'tick', x1: xOf(at), x2: xOf(at), y1: AXIS - 4, y2: height });
      make(svg, 'text', { x: xOf(at) + 3, y: 12 }, step >= 1000 ? `${at / 1000} s` : `${Math.round(at * 100) / 100} ms`);
    }
    data.faults.forEach((fault, place) => {
      const about = `${fault.text}\n${Math.round(fault.fromMs)} to ${Math.round(fault.toMs)} ms`;
      rectangle(svg, 'fault-bar', fault.fromMs, fault.toMs, AXIS + rows.row[place] * FAULT_ROW, FAULT_ROW - 2, about);
      drawFaultName(svg, fault, AXIS + rows.row[place] * FAULT_ROW + FAULT_ROW - 5);
      const struck = fault.lanes.length > 0 ? fault.lanes : data.lanes.map((_lane, lane) => lane);
      for (const lane of struck) rectangle(svg, 'fault', fault.fromMs, fault.toMs, top + lane * LANE, LANE, about);
    });
    for (const down of data.downs)
      for (const lane of down.lanes) rectangle(svg, 'down', down.fromMs, down.toMs, top + lane * LANE + 1, LANE - 2, down.text);
    const shown = visible();
    namedTo.clear();
    drawLinks(svg, shown.marks);
    for (const mark of shown.marks) drawMark(svg, mark);
    if (data.violation !== undefined) {
      const x = xOf(data.violation.atMs);
      make(svg, 'line', { class: 'violation-line', x1: x, x2: x, y1: AXIS - 4, y2: height, 'data-about': data.violation.text });
      make(svg, 'path', { class: 'mark kind-violation', d: `M ${x} ${AXIS - 6} l 12 5 l -12 6 z`, 'data-about': data.violation.text });
    }
    plot.replaceChildren(svg);
    drawOverview();
    const more = shown.all > shown.marks.length ? `${shown.marks.length} of ${shown.all} marks drawn: zoom in for the others. ` : '';
    status.textContent = `${Math.max(0, Math.round(view.fromMs))} to ${Math.round(view.toMs)} ms. ${more}${leftOut}`;
  }

  function drawFaultName(svg, { kind, lanes, fromMs, toMs }, y) {
    const text = lanes.length === 0 ? kind : `${kind} ${lanes.join(' ')}`;
    const x = Math.max(0, xOf(fromMs));
    if (Math.min(width(), xOf(toMs)) - x > 8 + 6 * text.length) make(svg, 'text', { class: 'on-bar', x: x + 4, y }, text);
  }

  // Marks come in the order of time; the most telling kinds stay when there are too many.
  function visible() {
    const inView = data.marks.filter(({ atMs, kind }) => atMs >= view.fromMs && atMs <= view.toMs && !hidden.has(kind));
    if (inView.length <= DRAWN_MAX) return { marks: inView, all: inView.length };
    const quiet = ['tells-certificates', 'babbles', 'votes', 'commit-votes', 'enters', 'certified', 'gives-up'];
    let kept = inView;
    for (const kind of quiet) if (kept.length > DRAWN_MAX) kept = kept.filter((mark) => mark.kind !== kind);
    const every = Math.ceil(kept.length / DRAWN_MAX);
    return { marks: kept.filter((mark, place) => mark.kind === 'violation' || place % every === 0), all: inView.length };
  }

  function yOf({ lane, kind, chain }) {
    const base = top + lane * LANE + ROW * Math.max(0, chains.indexOf(chain));
    if (kind === 'enters') return base + 13;
    if (kind === 'proposes' || kind === 'commits' || kind === 'ends' || kind === 'starts' || kind === 'cannot-go-on') return base + 31;
    return kind === 'violation' ? base + LANE / 2 : base + 51;
  }

  function drawLinks(svg, marks) {
    for (const mark of marks) {
      const parent = mark.kind === 'proposes' ? proposals.get(mark.parent) : undefined;
      if (parent === undefined || hidden.has('proposes')) continue;
      const [x1, y1, x2, y2] = [xOf(parent.atMs), yOf(parent), xOf(mark.atMs), yOf(mark)];
      const middle = (x1 + x2) / 2;
      const hot = chosen !== undefined && (mark.block === chosen || mark.parent === chosen);
      make(svg, 'path', { class: hot ? 'link hot' : 'link', d: `M ${x1} ${y1} C ${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` });
    }
  }

  function drawMark(svg, mark) {
    const [x, y] = [xOf(mark.atMs), yOf(mark)];
    const hot = chosen !== undefined && (mark.block === chosen || mark.parent === chosen) ? ' hot' : '';
    const about = `${data.lanes[mark.lane].name} ${mark.text}\nat ${mark.atMs} ms`;
    const shape = (name, attributes, more = '') => {
      const element = make(svg, name, { ...attributes, class: `mark kind-${mark.kind}${more}${hot}`, 'data-about': about });
      if (mark.block !== undefined) element.dataset.block = mark.block;
    };
    switch (mark.kind) {
      case 'enters':
        shape('path', { d: `M ${x} ${y - 4} l 5 4 l -5 4 z` });
        if (x < (namedTo.get(y) ?? Number.NEGATIVE_INFINITY)) return;
        namedTo.set(y, x + 10 + 7 * String(mark.round).length);
        return make(svg, 'text', { class: 'of-round', x: x + 7, y: y + 4 }, mark.round);
      case 'proposes':
        shape('rect', { x: x - 11, y: y - 8, width: 22, height: 16, rx: 4 });
        return make(svg, 'text', { class: 'on-mark', x, y: y + 4 }, mark.height);
      case 'commits':
        shape('rect', { x: x - 8, y: y - 8, width: 16, height: 16, rx: 1 });
        return make(svg, 'text', { class: 'on-mark', x, y: y + 4 }, mark.height);
      case 'votes':
        return shape('circle', { cx: x, cy: y, r: 4 });
      case 'commit-votes':
        return shape('path', { d: `M ${x} ${y - 5.5} l 5.5 5.5 l -5.5 5.5 l -5.5 -5.5 z` });
      case 'certified':
        return shape('circle', { cx: x, cy: y, r: 5 }, ' hollow');
      case 'gives-up':
        return shape('path', { d: `M ${x - 6} ${y - 5} h 12 l -6 10 z` });
      case 'ends':
      case 'cannot-go-on':
        return shape('path', { d: `M ${x - 7} ${y - 4} l 3 -3 l 4 4 l 4 -4 l 3 3 l -4 4 l 4 4 l -3 3 l -4 -4 l -4 4 l -3 -3 l 4 -4 z` });
      case 'starts':
        return shape('path', { d: `M ${x} ${y - 7} l 7 12 h -14 z` });
      case 'violation':
        return shape('circle', { cx: x, cy: y, r: 14 }, ' hollow');
      default:
        return shape('rect', { x: x - 3, y: y - 3, width: 6, height: 6 });
    }
  }

  function drawOverview() {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('height', 34);
    const across = Math.max(200, overview.clientWidth);
    const place = (atMs) => ((atMs - whole.fromMs) / (whole.toMs - whole.fromMs)) * across;
    const bins = new Map();
    for (const { atMs } of data.marks) bins.set(Math.floor(place(atMs) / 4), (bins.get(Math.floor(place(atMs) / 4)) ?? 0) + 1);
    const most = Math.max(1, ...bins.values());
    for (const [bin, count] of bins) {
      const tall = 2 + (22 * count) / most;
      make(svg, 'rect', { class: 'overview-mark', x: bin * 4, y: 32 - tall, width: 3, height: tall });
    }
    for (const { fromMs, toMs } of data.faults)
      make(svg, 'rect', { class: 'fault-bar', x: place(fromMs), y: 1, width: Math.max(2, place(toMs) - place(fromMs)), height: 3 });
    if (data.violation !== undefined)
      make(svg, 'line', { class: 'violation-line', x1: place(data.violation.atMs), x2: place(data.violation.atMs), y1: 0, y2: 34 });
    const [from, to] = [Math.max(0, place(view.fromMs)), Math.min(across, place(view.toMs))];
    make(svg, 'rect', { class: 'overview-view', x: from, y: 1, width: Math.max(3, to - from), height: 32, rx: 3 });
    overview.replaceChildren(svg);
  }

  function zoom(factor, aroundMs = (view.fromMs + view.toMs) / 2) {
    const span = (view.toMs - view.fromMs) * factor;
    if (span < SPAN_MIN_MS || span > 1.2 * (whole.toMs - whole.fromMs) + 4 * SPAN_MIN_MS) return;
    view = { fromMs: aroundMs - (aroundMs - view.fromMs) * factor, toMs: aroundMs + (view.toMs - aroundMs) * factor };
    draw();
  }

  function move(byMs) {
    const span = view.toMs - view.fromMs;
    const fromMs = Math.min(Math.max(view.fromMs + byMs, whole.fromMs - span / 2), whole.toMs - span / 2);
    view = { fromMs, toMs: fromMs + span };
    draw();
  }

  const doing = {
    in: () => zoom(0.6),
    out: () => zoom(1 / 0.6),
    window: () => {
      view = padded(data.window);
      draw();
    },
    whole: () => {
      view = padded(whole);
      draw();
    },
    theme: () => {
      root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
    },
  };
  const keys = { '+': 'in', '=': 'in', '-': 'out', w: 'window', a: 'whole' };

  for (const button of document.querySelectorAll('button[data-do]')) button.addEventListener('click', () => doing[button.dataset.do]());
  for (const box of document.querySelectorAll('input[data-kind]'))
    box.addEventListener('change', () => {
      if (box.checked) hidden.delete(box.dataset.kind);
      else hidden.add(box.dataset.kind);
      draw();
    });
  document.addEventListener('keydown', ({ key, ctrlKey, metaKey }) => {
    if (ctrlKey || metaKey) return;
    const span = view.toMs - view.fromMs;
    if (key === 'ArrowLeft') move(-span / 5);
    else if (key === 'ArrowRight') move(span / 5);
    else if (key === 'Escape') choose(undefined);
    else if (keys[key] !== undefined) doing[keys[key]]();
  });
  plot.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const spanMs = view.toMs - view.fromMs;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        return move(((event.deltaX || event.deltaY) / width()) * spanMs);
      const across = (event.clientX - plot.getBoundingClientRect().left) / width();
      zoom(event.deltaY < 0 ? 0.8 : 1.25, view.fromMs + across * spanMs);
    },
    { passive: false },
  );
  let dragged;
  plot.addEventListener('pointerdown', (event) => {
    dragged = { x: event.clientX, far: 0, block: event.target.dataset.block };
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener('pointermove', (event) => {
    if (dragged === undefined) return;
    const by = event.clientX - dragged.x;
    dragged.x = event.clientX;
    dragged.far += Math.abs(by);
    if (dragged.far > 3) move((-by / width()) * (view.toMs - view.fromMs));
  });
  plot.addEventListener('pointerup', () => {
    if (dragged !== undefined && dragged.far <= 3) choose(dragged.block);
    dragged = undefined;
  });
  plot.addEventListener('mousemove', (event) => {
    const about = event.target.dataset.about;
    tip.hidden = about === undefined;
    if (about === undefined) return;
    tip.textContent = about;
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
  });
  plot.addEventListener('mouseleave', () => {
    tip.hidden = true;
  });
  overview.addEventListener('click', (event) => {
    const box = overview.getBoundingClientRect();
    const atMs = whole.fromMs + ((event.clientX - box.left) / box.width) * (whole.toMs - whole.fromMs);
    move(atMs - (view.fromMs + view.toMs) / 2);
  });
  addEventListener('resize', draw);

  // A block: everything that is about it stands out.
  function choose(block) {
    chosen = block;
    draw();
  }

  draw();
})();
