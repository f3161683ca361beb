// The rules of the scripts, checked in the browser. rules(m, given) returns what is wrong, as sentences.
function rules(m, given) {
  const bad = [];
  const same = (what, got, want) => {
    if (JSON.stringify(got) != JSON.stringify(want)) bad.push(what + " is " + JSON.stringify(got) + ", want " + JSON.stringify(want));
  };
  for (const l of given.languages) {
    m.say.speak(l);
    for (const [n, form] of Object.entries(l.plurals)) same("plural of " + n + " in " + l.lang, new Intl.PluralRules(l.lang).select(Number(n)), form);
    same("money in " + l.lang, m.say.money({ amount: 123450, currency: "BRL" }, "R$"), l.money);
    same("text in " + l.lang, m.say.t("queue.say_ahead", { n: 4538 }), l.say);
    same("missing text", m.say.t("no.such.key"), "⟦no.such.key⟧");
  }
  m.say.speak(given.languages[0]);
  for (const { e, want } of given.waits) same("wait", m.say.wait(e), want);
  same("number", m.say.num(1234567), "1.234.567");

  const { clockface, crossed, learn, now } = m.clock;
  same("clock", [0, 500, 59000, 95000, 3725000, 90061000, -5].map(clockface), ["0:00", "0:01", "0:59", "1:35", "1:02:05", "1 d 01:01:01", "0:00"]);
  same("marks", crossed([300000, 60000], 300001, 60000), [300000, 60000]);
  same("no marks", crossed([300000, 60000], 59999, 59000), []);
  learn(new Date(Date.now() + 2000).toISOString());
  learn(new Date(Date.now() + 500).toISOString()); // an older answer: slower, so less true
  same("clock learns the fastest answer", Math.abs(now() - Date.now() - 2000) < 100, true);
  learn(new Date(Date.now() - 60000).toISOString());
  same("clock follows a change of the phone's own", Math.abs(now() - Date.now() + 60000) < 100, true);

  const { delay, stale, stops, route } = m.live;
  for (let n = 0; n < 40; n++) {
    const [least, most] = [delay(n, 1006, () => 0), delay(n, 1006, () => 1)];
    if (least < 500 || most > 20000 || most < least) bad.push("delay of try " + n + " is " + least + " to " + most);
  }
  same("first delay", [delay(0, 1006, () => 0), delay(0, 1006, () => 1)], [500, 1500]);
  same("late delay", delay(1000, 1006, () => 1), 20000);
  same("busy delay", [delay(0, 1013, () => 0), delay(0, 1013, () => 1)], [5000, 20000]);
  same("stops", [4401, 4403, 4409, 4410, 1000, 1006, 1012, 1013, 4408, 4429].map(stops), [true, true, true, true, false, false, false, false, false, false]);
  same("stale", [stale(0, 1000), stale(0, 21000), stale(6000, 6000), stale(6000, 100)], [false, true, true, false]);
  same("route", route("aurora", "pay", { id: "o1-5", method: "pix" }), ["POST", "/api/v1/orders/o1-5/pay", { method: "pix" }]);
  for (const op of ["hold", "hold.get", "hold.change", "hold.release", "order", "order.get", "pay", "order.cancel", "finish"]) {
    if (!route("aurora", op, {})) bad.push("no way over HTTP for " + op);
  }

  const { ahead, worth, progress, few } = m.place;
  const s = { ahead: 100, number: 500 };
  same("a tick lowers", ahead(s, { t: "tick", front: 450 }), 50);
  same("a tick does not raise", ahead(s, { t: "tick", front: 300 }), 100);
  same("a tick past a returned place", ahead(s, { t: "tick", front: 600 }), 100);
  same("a tick without front", ahead(s, { t: "tick", front: 0 }), 100);
  same("a place lowers", ahead(s, { t: "place", number: 500, ahead: 70 }), 70);
  same("a place does not raise", ahead(s, { t: "place", number: 500, ahead: 170 }), 100);
  same("another place is another number", ahead(s, { t: "place", number: 900, ahead: 170 }), 170);
  same("the first place", ahead({ ahead: null, number: 0 }, { t: "place", number: 5, ahead: 3 }), 3);
  same("announce half", worth({ n: 800, at: 0 }, 400, 30000), true);
  same("announce not again so soon", worth({ n: 800, at: 0 }, 100, 29000), false);
  same("announce passing 100", worth({ n: 120, at: 0 }, 99, 60000), true);
  same("announce passing 10", worth({ n: 12, at: 0 }, 10, 60000), true);
  same("announce nothing", worth({ n: 800, at: 0 }, 500, 60000), false);
  same("progress", [progress(0, 0), progress(100, 100), progress(100, 25), progress(100, 200)], [1000, 0, 750, 0]);
  same("few", [few(9, 100), few(10, 100)], [true, false]);

  const { model, nearest, nameOf, hull, inside, counts, closer } = m.plan;
  const p = model({
    width: 10, height: 10,
    sections: [{ label: "A", focal: [2, -1] }, { label: "B", focal: [0, 0] }],
    rows: [{ section: 0, label: "1", first: 0, count: 4 }, { section: 0, label: "2", first: 4, count: 2 }, { section: 1, label: "1", first: 6, count: 1 }],
    seats: { x: [0, 1, 2, 3, 0, 1, 9], y: [0, 0, 0, 0, 1, 1, 9], label: ["1", "2", "3", "4", "1", "2", "1"], category: [0, 0, 0, 1, 0, 0, 0], flags: [0, 0, 0, 0, 0, 0, 0] },
    areas: [{ unit: 7, label: "Floor", section: 1, category: 0, capacity: 5, x: 9, y: 8, outline: [] }],
  });
  same("closer", [0, 1, 2, 50, 98, 99, 100].map(closer([[98, 100], [0, 2]])).map((v) => Math.round(v * 10) / 10), [0, 1, 2, 2.2, 2.4, 3.4, 4.4]);
  same("nothing to bring closer", closer([[0, 10], [10.5, 20]])(15), 15);
  same("squeezed", [p.squeezed, p.x[6] < 9, p.x[3]], [true, true, 3]);
  same("pitch", p.pitch, 1);
  same("name", [nameOf(p, 5), nameOf(p, 7)], [{ section: "A", row: "2", seat: "2" }, { area: "Floor" }]);
  same("nearest in the row", nearest(p, 1, (u) => u == 0), 2);
  same("nearest in another row", nearest(p, 1, (u) => u < 4), 5);
  same("nearest of none", nearest(p, 1, () => true), -1);
  same("counts", counts(p, "ffshfsf", new Map([[7, 3]])), [3, 4]);
  same("hull", hull([[0, 0], [2, 0], [1, 1], [2, 2], [0, 2]]).length, 4);
  same("inside", [inside([[0, 0], [2, 0], [2, 2], [0, 2]], 1, 1), inside([[0, 0], [2, 0], [2, 2], [0, 2]], 3, 1)], [true, false]);
  same("white on colours", ["#000000", "#2e6fb7", "#d1495b", "#ffffff"].map(m.paint.dark), [true, true, false, false]);
  return bad;
}
