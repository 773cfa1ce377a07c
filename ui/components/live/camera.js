// The live camera in the browser: it sends small frames to the app, one at a time, draws the boxes
// of the answers over the picture, and sends the last graded frame in full size to keep it.

const SENT_PIXELS = 960; // The longest side of a frame that is graded.
const SENT_QUALITY = 0.8;
const KEPT_QUALITY = 0.92;
const LEAST_GAP_MS = 250; // At most four frames a second.
const AFTER_A_PROBLEM_MS = 3000;
const SLOW_MS = 4000; // After this long without an answer, the boxes belong to an earlier scene.
const LOST_MS = 20000; // The connection must have broken: send another frame.
const NEVER_KEPT_MS = 60000;
const IDLE_MS = 300000; // Without a kept photo.
const TALLEST = 60; // In percent of the window's height.
const WANTED = {
  audio: false,
  video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1440 } },
};
const NOT_SECURE =
  "Browsers allow the camera on secure pages only. Open this page over https, or as localhost on " +
  "this device. Without that, choose photos: a phone offers its camera there.";
const REFUSALS = {
  NotAllowedError:
    "This page may not use the camera. Allow it in the browser, by the icon beside the address, " +
    "then start again.",
  NotFoundError: "No camera was found. Connect one, then start again.",
  NotReadableError: "Another program uses the camera. Close that, then start again.",
};
const WAITING = "The grading service has not answered yet. The camera continues by itself.";
const IDLE = "Paused, as no photo was kept for five minutes.";
const OUT_OF_SIGHT = "Paused while this page was not in view.";
const NO_ANSWER_TO_KEEP =
  "No answer came. Check below whether the photo is there, or keep it again.";

class LiveCamera {
  constructor(root) {
    this.root = root;
    for (const name of ["stage", "still", "boxes", "headline", "detail", "said"])
      this[name] = root.querySelector(`.${name}`);
    this.video = root.querySelector("video");
    this.button = {};
    for (const name of ["start", "keep", "pause", "stop"]) {
      this.button[name] = root.querySelector(`button.${name}`);
      this.button[name].onclick = () => this[name]();
    }
    this.stream = null;
    this.paused = false;
    this.inFlight = 0; // Number of the frame that waits for its answer; 0 for none.
    this.keeping = 0; // Number of the photo that is being added; 0 for none.
    // In full size: the frame in flight, and the last graded one, whose boxes are shown.
    this.sent = document.createElement("canvas");
    this.graded = null;
    this.timers = {};
    this.seen = () => document.hidden && this.rest(OUT_OF_SIGHT);
    document.addEventListener("visibilitychange", this.seen);
  }

  update(component) {
    this.component = component;
    const { answer, kept } = component.data ?? {};
    if (answer && answer.number === this.inFlight) this.show(answer);
    if (kept && kept.number === this.keeping) this.kept(kept);
  }

  // The buttons.

  async start() {
    if (!window.isSecureContext || !navigator.mediaDevices) return this.say(NOT_SECURE);
    this.say("");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia(WANTED);
    } catch (error) {
      return this.say(REFUSALS[error.name] ?? `The camera cannot be used: ${error.message}`);
    }
    if (!this.root.isConnected || this.stream) return stream.getTracks().forEach((one) => one.stop());
    this.stream = stream;
    stream.getVideoTracks()[0].onended = () => {
      this.stop();
      this.say("The camera was disconnected. Connect it, then start again.");
    };
    this.video.srcObject = stream;
    this.video.onresize = () => this.fit();
    await this.video.play().catch(() => {}); // It was stopped in the meantime.
    this.draw();
    this.button.pause.focus();
    this.wait();
    this.next(0);
  }

  pause() {
    this.paused = !this.paused;
    // Keep what is shown now, which the answer to a frame in flight would replace.
    if (this.paused && this.graded) this.forget();
    this.say("");
    this.draw();
    this.wait();
    this.next(0);
  }

  // Pause automatically: perhaps nobody is looking, and each frame costs battery and server time.
  rest(why) {
    if (!this.stream || this.paused) return;
    this.pause();
    clearTimeout(this.timers.slow);
    this.say(why, false);
  }

  wait() {
    this.after("idle", IDLE_MS, () => this.rest(IDLE));
  }

  stop() {
    const hadFocus = this.root.contains(this.root.activeElement ?? document.activeElement);
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.stream?.getTracks().forEach((track) => track.stop());
    this.video.srcObject = null;
    this.stream = this.graded = null;
    this.paused = false;
    this.inFlight = this.keeping = 0;
    this.clear();
    this.say("");
    this.draw();
    if (hadFocus) this.button.start.focus();
  }

  keep() {
    if (!this.graded || this.keeping) return;
    this.keeping = Date.now();
    this.say("Adding the photo …");
    this.draw();
    const image = jpeg(this.graded, KEPT_QUALITY);
    this.component.setTriggerValue("keep", { number: this.keeping, image });
    this.after("keep", NEVER_KEPT_MS, () => this.kept({ problem: NO_ANSWER_TO_KEEP }));
  }

  // Frames and their answers.

  next(milliseconds) {
    if (this.stream && !this.paused && !this.inFlight)
      this.after("next", milliseconds, () => this.send());
  }

  send() {
    if (!this.stream || this.paused || this.inFlight || document.hidden) return;
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width || this.keeping) return this.next(LEAST_GAP_MS);
    this.sent = copy(this.video, width, height, 1);
    const scale = Math.min(1, SENT_PIXELS / Math.max(width, height));
    const image = jpeg(copy(this.sent, width, height, scale), SENT_QUALITY);
    this.inFlight = this.started = Date.now();
    this.component.setTriggerValue("frame", { number: this.inFlight, image });
    this.after("slow", SLOW_MS, () => {
      this.clear();
      this.say(WAITING);
    });
    this.after("lost", LOST_MS, () => {
      this.inFlight = 0;
      this.next(0);
    });
  }

  // Stop waiting for an answer.
  forget() {
    this.inFlight = 0;
    clearTimeout(this.timers.slow);
    clearTimeout(this.timers.lost);
  }

  show(answer) {
    this.forget();
    if (answer.problem) {
      this.clear();
      this.say(answer.problem);
      return this.next(AFTER_A_PROBLEM_MS);
    }
    if (this.hindered) this.say("");
    this.graded = this.sent;
    this.headline.textContent = answer.headline;
    this.detail.textContent = answer.detail;
    this.boxes.replaceChildren(...answer.boxes.map(drawBox));
    this.draw();
    this.next(Math.max(0, LEAST_GAP_MS - (Date.now() - this.started)));
  }

  kept({ said, problem }) {
    clearTimeout(this.timers.keep);
    this.keeping = 0;
    this.say(said ?? problem, false);
    this.draw();
    this.wait();
    this.next(0);
  }

  // The display.

  clear() {
    this.graded = null;
    this.boxes.replaceChildren();
    this.headline.textContent = this.detail.textContent = "";
    this.draw();
  }

  // With `hindered`, show it until the next answer.
  say(text, hindered = Boolean(text) && !this.keeping) {
    this.said.textContent = text;
    this.hindered = hindered;
  }

  draw() {
    const on = Boolean(this.stream);
    this.stage.hidden = !on;
    this.button.start.hidden = on;
    for (const name of ["keep", "pause", "stop"]) this.button[name].hidden = !on;
    this.button.pause.textContent = this.paused ? "Resume" : "Pause";
    // Not `disabled`, which would lose the keyboard focus.
    this.button.keep.setAttribute("aria-disabled", String(!this.graded || Boolean(this.keeping)));
    // While paused, show the frame whose boxes are drawn.
    this.still.hidden = !(on && this.paused && this.graded);
    if (!this.still.hidden) {
      this.still.width = this.graded.width;
      this.still.height = this.graded.height;
      this.still.getContext("2d").drawImage(this.graded, 0, 0);
    }
    this.fit();
  }

  fit() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (width) this.stage.style.width = `min(100%, ${(TALLEST * width) / height}vh)`;
  }

  after(name, milliseconds, action) {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(action, milliseconds);
  }

  end() {
    document.removeEventListener("visibilitychange", this.seen);
    this.stop();
  }
}

function copy(source, width, height, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(scale * width));
  canvas.height = Math.max(1, Math.round(scale * height));
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function jpeg(canvas, quality) {
  return canvas.toDataURL("image/jpeg", quality).split(",")[1];
}

function drawBox({ box: [left, top, right, bottom], colour, border, text }) {
  const element = document.createElement("div");
  element.className = "box";
  Object.assign(element.style, {
    left: `${100 * left}%`,
    top: `${100 * top}%`,
    width: `${100 * (right - left)}%`,
    height: `${100 * (bottom - top)}%`,
    border: `${border} ${colour}`,
  });
  const label = document.createElement("span");
  label.textContent = text;
  label.style.background = colour;
  element.append(label);
  return element;
}

const cameras = new WeakMap();

// Streamlit calls this for each change of the data, with the same parent.
export default function (component) {
  const root = component.parentElement;
  if (!cameras.has(root)) cameras.set(root, new LiveCamera(root));
  cameras.get(root).update(component);
  // Streamlit also calls the clean-up if a newer call has replaced this one.
  return () => setTimeout(() => root.isConnected || cameras.get(root).end());
}
