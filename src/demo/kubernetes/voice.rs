//! How services of the company write their logs: JSON, logfmt or plain, with traces where things go wrong.

use super::life::Life;
use super::log::{Line, Source};
use super::random::{self, Chance};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::Arc;

/// In which form a service writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Logfmt,
    Plain,
    Access,
}

/// How a service writes.
struct Voice {
    /// Begin of the image's last name.
    app: &'static str,
    form: Form,
    /// Lines a second, times ten.
    rate: u64,
    /// Words for what is in braces: `{n}` a number, `{ms}` milliseconds, `{id}` letters, `{word}` one of `words`.
    lines: &'static [(&'static str, &'static str)],
    words: &'static [&'static str],
    /// A trace that an error may bring.
    trace: &'static [&'static str],
}

const JAVA: &[&str] = &[
    "java.net.SocketTimeoutException: Read timed out",
    "\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:288)",
    "\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:314)",
    "\tat shop.larkspoke.http.PooledClient.send(PooledClient.java:141)",
    "\tat shop.larkspoke.prices.RuleLoader.load(RuleLoader.java:77)",
    "\tat shop.larkspoke.prices.PriceBook.refresh(PriceBook.java:203)",
    "\t... 14 more",
    "Caused by: java.util.concurrent.TimeoutException: 3000 ms",
];
const PYTHON: &[&str] = &[
    "Traceback (most recent call last):",
    "  File \"/app/forecast/worker.py\", line 88, in run",
    "    frame = store.read(day, region)",
    "  File \"/app/forecast/store.py\", line 41, in read",
    "    raise StaleFrame(f\"{day} is not there yet\")",
    "forecast.store.StaleFrame: 2026-11-21 is not there yet",
];
const GO: &[&str] = &[
    "goroutine 84 [running]:",
    "main.(*ledger).post(0xc0001f4000, {0x9d1c20, 0xc00031a5d0})",
    "\t/src/ledger/post.go:117 +0x2c5",
    "main.(*server).authorise(0xc00012e000, 0xc0002a8000)",
    "\t/src/server/authorise.go:63 +0x1b4",
];
const NODE: &[&str] = &[
    "Error: upstream answered 503",
    "    at PricingSource.fetch (/srv/dist/sources/pricing.js:58:15)",
    "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
    "    at async Query.price (/srv/dist/resolvers/price.js:21:19)",
];
const ELIXIR: &[&str] = &[
    "** (Postgrex.Error) ERROR 40001 (serialization_failure) could not serialize access",
    "    (stock 9.2.1) lib/stock/reservations.ex:71: Stock.Reservations.hold/3",
    "    (stock 9.2.1) lib/stock_web/controllers/hold_controller.ex:22: StockWeb.HoldController.create/2",
];

const VOICES: &[Voice] = &[
    Voice {
        app: "checkout-api",
        form: Form::Json,
        rate: 60,
        lines: &[
            ("info", "order {id} accepted in {ms} ms"),
            ("info", "POST /v1/orders 201 {ms} ms"),
            ("info", "GET /v1/orders/{id} 200 {ms} ms"),
            ("info", "payment of order {id} authorised by {word}"),
            ("debug", "outbox: {n} events sent"),
            ("warn", "payment-gateway took {ms} ms, limit 300 ms"),
            ("error", "could not authorise order {id}: gateway answered 502"),
        ],
        words: &["visa", "mastercard", "paypal", "invoice"],
        trace: NODE,
    },
    Voice {
        app: "payment-gateway",
        form: Form::Logfmt,
        rate: 45,
        lines: &[
            ("info", "authorised amount={n} currency=EUR bank={word}"),
            ("info", "captured amount={n} bank={word} took={ms}ms"),
            ("info", "request path=/v2/authorise code=200 took={ms}ms"),
            ("warn", "bank is slow bank={word} took=1{ms}ms"),
            ("error", "bank refused bank={word} code=91 retry=true"),
        ],
        words: &["lisboa", "norte", "iberia", "rhein"],
        trace: GO,
    },
    Voice {
        app: "refund-worker",
        form: Form::Logfmt,
        rate: 12,
        lines: &[
            ("info", "refund done id={id} amount={n} took={ms}ms"),
            ("info", "queue polled depth={n}"),
            ("warn", "refund is older than a day id={id}"),
        ],
        words: &["queue"],
        trace: GO,
    },
    Voice {
        app: "shop-bff",
        form: Form::Json,
        rate: 90,
        lines: &[
            ("info", "query {word} {ms} ms"),
            ("info", "mutation addToBasket {ms} ms"),
            ("debug", "cache hit {word}:{id}"),
            ("warn", "query {word} is at depth 9 of 10"),
            ("error", "resolver {word} failed"),
        ],
        words: &["product", "basket", "price", "search", "me"],
        trace: NODE,
    },
    Voice {
        app: "shop-web",
        form: Form::Access,
        rate: 70,
        lines: &[("info", ""), ("warn", ""), ("error", "")],
        words: &["/", "/bikes", "/parts/chain-12s", "/basket", "/assets/app.9f3c.js", "/search?q=brake"],
        trace: &[],
    },
    Voice {
        app: "edge-proxy",
        form: Form::Access,
        rate: 160,
        lines: &[("info", ""), ("warn", ""), ("error", "")],
        words: &["/", "/graphql", "/v1/orders", "/bikes", "/healthz", "/login"],
        trace: &[],
    },
    Voice {
        app: "identity-service",
        form: Form::Json,
        rate: 35,
        lines: &[
            ("info", "token issued to {word} for 3600 s"),
            ("info", "sign-in of customer {id}"),
            ("warn", "sign-in failed: wrong password, customer {id}"),
            ("info", "key 2026-11 is {n} days old"),
        ],
        words: &["shop-web", "ride-app", "warehouse", "back-office"],
        trace: &[],
    },
    Voice {
        app: "stock-",
        form: Form::Plain,
        rate: 30,
        lines: &[
            ("info", "request_id={id} POST /holds 201 in {ms}ms"),
            ("info", "request_id={id} GET /stock/{n} 200 in {ms}ms"),
            ("info", "moved {n} of part {id} to {word}"),
            ("warning", "hold {id} expired without an order"),
            ("error", "hold {id} failed"),
        ],
        words: &["Porto", "Gent", "Malmö", "Leipzig"],
        trace: ELIXIR,
    },
    Voice {
        app: "demand-forecast",
        form: Form::Plain,
        rate: 10,
        lines: &[
            ("INFO", "scored {n} parts for {word}"),
            ("INFO", "read frame of {word}, {n} rows, {ms} ms"),
            ("WARNING", "error ratio of {word} is 0.{n}"),
            ("ERROR", "cannot score {word}"),
        ],
        words: &["north", "south", "west", "east"],
        trace: PYTHON,
    },
    Voice {
        app: "fraud-scorer",
        form: Form::Json,
        rate: 25,
        lines: &[
            ("info", "order {id} scored 0.{n} in {ms} ms"),
            ("warning", "feature {word} is missing, 0 taken"),
        ],
        words: &["card_age", "ip_distance", "basket_size"],
        trace: PYTHON,
    },
    Voice {
        app: "settlement-run",
        form: Form::Plain,
        rate: 20,
        lines: &[
            ("INFO", "statement of {word}: {n} lines compared"),
            ("INFO", "ledger page {n} read in {ms} ms"),
            ("WARNING", "line {n} of {word} has no counterpart"),
        ],
        words: &["lisboa", "norte", "iberia", "rhein"],
        trace: PYTHON,
    },
    Voice {
        app: "supplier-sync",
        form: Form::Plain,
        rate: 20,
        lines: &[("INFO", "supplier {n}: {n} prices"), ("WARNING", "supplier {n}: list is from yesterday")],
        words: &["prices"],
        trace: &[],
    },
    // Java services and everything that has no voice of its own
    Voice {
        app: "",
        form: Form::Plain,
        rate: 25,
        lines: &[
            ("INFO", "[http-nio-8080-exec-{n}] RequestLog - GET /{word}/{id} 200 {ms} ms"),
            ("INFO", "[scheduler-1] Refresher - {n} of {word} refreshed in {ms} ms"),
            ("DEBUG", "[http-nio-8080-exec-{n}] Cache - miss {word}:{id}"),
            ("WARN", "[pool-2-thread-{n}] PooledClient - connection to {word} took {ms} ms"),
            ("ERROR", "[http-nio-8080-exec-{n}] Handler - {word} {id} failed"),
        ],
        words: &["products", "prices", "promotions", "baskets", "routes", "picks"],
        trace: JAVA,
    },
];

/// Writes the lines of a second of an instance.
pub fn second(source: &Source, second: i64, into: &mut Vec<Line>) {
    let Ok(start) = Timestamp::from_second(second) else { return };
    let short = source.image.rsplit('/').next().unwrap_or_default();
    let Some(voice) = VOICES.iter().find(|voice| short.starts_with(voice.app)) else { return };
    let seed = random::of_text(&format!("{}/{}/{}", source.uid, source.of.2, source.restarts));
    let mut chance = Chance::new(seed ^ random::mix(second as u64));
    if second == source.started.as_second() {
        voice.begin(source, start, into);
    }
    // some seconds are busier than others
    let tenths = voice.rate / 2 + chance.below(voice.rate.max(1) + 1);
    let count = tenths / 10 + u64::from(chance.below(10) < tenths % 10);
    let mut times: Vec<u64> = (0..count).map(|_| chance.below(950_000_000)).collect();
    times.sort_unstable();
    for nanos in times {
        let at = plus(start, nanos + 40_000_000);
        voice.line(source, at, &mut chance, into);
    }
    if let Some(ended) = source.ends.as_ref().filter(|ended| ended.finished.as_second() == second + 1) {
        voice.end(source, ended.finished, into);
    }
}

fn plus(time: Timestamp, nanos: u64) -> Timestamp {
    time.checked_add(SignedDuration::from_nanos(nanos as i64)).unwrap_or(time)
}

impl Voice {
    fn begin(&self, source: &Source, start: Timestamp, into: &mut Vec<Line>) {
        let tag = source.image.rsplit(':').next().unwrap_or_default();
        let lines = [
            format!("starting, version {tag}, pid 1"),
            "configuration read from /etc/app/config.yaml".to_owned(),
            "connected to the database, 12 connections".to_owned(),
            "listening on 0.0.0.0:8080".to_owned(),
        ];
        for (at, text) in lines.iter().enumerate() {
            let at = plus(start, at as u64 * 7_000_000);
            self.write(source, at, self.calm(), text, into);
        }
    }

    fn end(&self, source: &Source, at: Timestamp, into: &mut Vec<Line>) {
        // what is killed from outside has no last words
        let (text, trace): (&str, &[&str]) = match source.life {
            Life::Crashes(..) if source.image.contains("promotion-engine") => (
                "could not read the rules of promotion `autumn-sale`: unknown field `stackable` in version 3",
                &[
                    "Exception in thread \"main\" shop.larkspoke.promotions.RuleSyntaxException: autumn-sale: unknown field `stackable`",
                    "\tat shop.larkspoke.promotions.RuleReader.field(RuleReader.java:118)",
                    "\tat shop.larkspoke.promotions.RuleReader.read(RuleReader.java:64)",
                    "\tat shop.larkspoke.promotions.Main.main(Main.java:31)",
                ],
            ),
            Life::Crashes(..) if source.image.contains("payment-gateway") => {
                ("cannot open the key store: certificate of bank `rhein` is not valid after 2026-11-20", GO)
            }
            Life::Crashes(..) => {
                ("cannot go on: configuration refers to a secret that is not there", self.trace)
            }
            Life::Works(_, code) if code != 0 => {
                ("the books differ: 3 payments of bank `norte` are missing, 412.80 EUR", PYTHON)
            }
            Life::Works(..) => ("done", &[]),
            _ => return,
        };
        let calm = matches!(source.life, Life::Works(_, 0));
        let level = if calm { self.calm() } else { "error" };
        let level = if self.calm() == "INFO" { level.to_uppercase() } else { level.to_owned() };
        let before = |nanos: i64| at.checked_sub(SignedDuration::from_nanos(nanos)).unwrap_or(at);
        self.write(source, before(9_000_000), &level, text, into);
        for (number, line) in trace.iter().enumerate() {
            raw(before(8_000_000 - number as i64 * 1000), (*line).to_owned(), into);
        }
    }

    fn calm(&self) -> &'static str {
        self.lines.first().map_or("info", |(level, _)| level)
    }

    fn line(&self, source: &Source, at: Timestamp, chance: &mut Chance, into: &mut Vec<Line>) {
        // calm lines are common, the last (the worst) is rare
        let roll = chance.below(1000);
        let calm =
            self.lines.iter().filter(|(level, _)| level.eq_ignore_ascii_case(self.calm())).count() as u64;
        let last = self.lines.len().saturating_sub(1);
        let which = match roll {
            0..=5 => last,
            6..=30 => last.saturating_sub(1),
            _ => chance.below(calm.max(1)) as usize,
        };
        let Some((level, template)) = self.lines.get(which) else { return };
        if self.form == Form::Access {
            let code = match *level {
                "error" => 502,
                "warn" => 404,
                _ => 200,
            };
            let line = format!(
                "10.244.{}.{} - - \"GET {} HTTP/1.1\" {code} {} \"{}ms\"",
                chance.below(8),
                chance.below(250),
                chance.pick(self.words),
                chance.below(90_000),
                chance.below(300)
            );
            raw(at, line, into);
            return;
        }
        let text = self.fill(template, chance);
        self.write(source, at, level, &text, into);
        if which == last && level.eq_ignore_ascii_case("error") {
            for (number, line) in self.trace.iter().enumerate() {
                raw(plus(at, 1000 * (number as u64 + 1)), (*line).to_owned(), into);
            }
        }
    }

    fn fill(&self, template: &str, chance: &mut Chance) -> String {
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            text.push_str(before);
            let (slot, behind) = behind.split_once('}').unwrap_or((behind, ""));
            match slot {
                "n" => text.push_str(&(1 + chance.below(97)).to_string()),
                "ms" => text.push_str(&(3 + chance.below(240)).to_string()),
                "id" => text.push_str(&chance.letters(7)),
                _ => text.push_str(chance.pick(self.words)),
            }
            rest = behind;
        }
        text.push_str(rest);
        text
    }

    fn write(&self, source: &Source, at: Timestamp, level: &str, text: &str, into: &mut Vec<Line>) {
        let line = match self.form {
            Form::Json => {
                let service = self.app;
                json!({"ts": format!("{at:.3}"), "level": level, "service": service, "msg": text,
                       "pod": source.of.1})
                .to_string()
            }
            Form::Logfmt => {
                let quoted = match text.find(" amount=").or_else(|| text.find('=')) {
                    // the words before the first pair are the message
                    Some(at) => {
                        let end = text.get(..at).and_then(|head| head.rfind(' ')).unwrap_or(at);
                        let end = if text.get(at..=at) == Some(" ") { at } else { end };
                        let (head, pairs) = text.split_at(end);
                        format!("msg=\"{head}\"{pairs}")
                    }
                    None => format!("msg={text:?}"),
                };
                format!("time={at:.3} level={level} {quoted}")
            }
            Form::Plain | Form::Access => {
                let time = format!("{at:.3}").replace('T', " ");
                format!("{} {level:<5} {text}", time.trim_end_matches('Z'))
            }
        };
        raw(at, line, into);
    }
}

fn raw(at: Timestamp, line: String, into: &mut Vec<Line>) {
    into.push(Line { at, bytes: Arc::from(line.into_bytes()) });
}
