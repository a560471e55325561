//! Ages, amounts and schedules in few letters.

use jiff::{SignedDuration, Timestamp};

/// Returns how long ago a time is, with the grain of a minute: `now`, `1m`, `14m`, `2h`, `3d`.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let passed = now.duration_since(at);
    if passed < SignedDuration::from_mins(1) { "now".to_owned() } else { span(passed) }
}

/// Returns a duration in its largest one or two units: `45s`, `14m`, `2h`, `3d`.
pub fn span(passed: SignedDuration) -> String {
    let seconds = passed.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..=59 => format!("{seconds}s"),
        60..=3599 => format!("{minutes}m"),
        3600..=86_399 => format!("{hours}h"),
        _ if days < 730 => format!("{days}d"),
        _ => format!("{}y", days / 365),
    }
}

/// Returns bytes as Backstage shows memory: whole mebibytes.
#[expect(clippy::cast_precision_loss, reason = "whole mebibytes are shown")]
pub fn bytes(bytes: u64) -> String {
    format!("{:.0}MiB", bytes as f64 / 1_048_576.0)
}

/// Returns in words when a cron schedule runs; `None` where it says no more than the schedule itself.
pub fn schedule(text: &str) -> Option<String> {
    let words = match text.trim() {
        "@hourly" => "every hour".to_owned(),
        "@daily" | "@midnight" => "every day at 00:00".to_owned(),
        "@weekly" => "every Sunday at 00:00".to_owned(),
        "@monthly" => "on day 1 of every month at 00:00".to_owned(),
        "@yearly" | "@annually" => "every 1 January at 00:00".to_owned(),
        text => match text.strip_prefix("@every ") {
            Some(every) => format!("every {every}"),
            None => fields(text)?,
        },
    };
    Some(words)
}

fn fields(text: &str) -> Option<String> {
    let mut parts = text.split_whitespace();
    let [minute, hour, day, month, weekday] =
        [parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    if parts.next().is_some() {
        return None;
    }
    let when = time(minute, hour)?;
    let days = match (day, month, weekday) {
        ("*", "*", "*") => return Some(when),
        ("*", "*", weekday) => weekdays(weekday)?,
        (day, "*", "*") => format!("on day {} of every month", number(day, 1, 31)?),
        (day, month, "*") => format!("every {} {}", number(day, 1, 31)?, month_name(month)?),
        _ => return None,
    };
    Some(match when.strip_prefix("every day ") {
        Some(at) => format!("{days} {at}"),
        None => format!("{when}, {days}"),
    })
}

fn time(minute: &str, hour: &str) -> Option<String> {
    match (minute, hour) {
        ("*", "*") => return Some("every minute".to_owned()),
        (minute, "*") if minute.starts_with("*/") => {
            return Some(format!("every {} minutes", number(minute.get(2..)?, 1, 59)?));
        }
        (minute, "*") => return Some(format!("every hour at minute {}", number(minute, 0, 59)?)),
        (minute, hour) if hour.starts_with("*/") => {
            let (minute, every) = (number(minute, 0, 59)?, number(hour.get(2..)?, 1, 23)?);
            return Some(format!("every {every} hours at minute {minute}"));
        }
        _ => {}
    }
    let minute = number(minute, 0, 59)?;
    let hours: Option<Vec<String>> =
        hour.split(',').map(|hour| Some(format!("{:02}:{minute:02}", number(hour, 0, 23)?))).collect();
    Some(format!("every day at {}", hours?.join(", ")))
}

fn number(text: &str, low: u8, high: u8) -> Option<u8> {
    text.parse().ok().filter(|number| (low..=high).contains(number))
}

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn weekdays(text: &str) -> Option<String> {
    let day = |text: &str| -> Option<&str> {
        let short = |name: &&&str| {
            text.len() == 3 && name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(text))
        };
        let by_number = number(text, 0, 7).and_then(|number| DAYS.get(usize::from(number % 7)));
        by_number.or_else(|| DAYS.iter().find(short)).copied()
    };
    if let Some((from, to)) = text.split_once('-') {
        return Some(format!("{} to {}", day(from)?, day(to)?));
    }
    let days: Option<Vec<&str>> = text.split(',').map(day).collect();
    Some(format!("every {}", days?.join(", ")))
}

fn month_name(text: &str) -> Option<&'static str> {
    let short =
        |name: &&&str| text.len() == 3 && name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(text));
    let by_number = number(text, 1, 12).and_then(|number| MONTHS.get(usize::from(number) - 1));
    by_number.or_else(|| MONTHS.iter().find(short)).copied()
}
