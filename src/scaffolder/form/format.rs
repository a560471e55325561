//! The formats of texts that JSON Schema names: what they want, and whether a text has it.

use std::net::Ipv6Addr;

/// A format.
pub struct Format {
    /// Its name in schemas.
    pub name: &'static str,
    /// What it wants, for a sentence that begins with "needs".
    pub rule: &'static str,
    /// Whether a text has it.
    pub test: fn(&str) -> bool,
}

/// The formats that are checked; others are not, as in the original.
const FORMATS: &[Format] = &[
    Format { name: "email", rule: "an email address, for example ana@example.com", test: is_email },
    Format { name: "idn-email", rule: "an email address, for example ana@example.com", test: is_email },
    Format {
        name: "uri",
        rule: "an address with its scheme, for example https://example.com/",
        test: is_uri,
    },
    Format {
        name: "iri",
        rule: "an address with its scheme, for example https://example.com/",
        test: is_uri,
    },
    Format { name: "url", rule: "a web address, for example https://example.com/", test: is_url },
    Format { name: "date", rule: "a date, for example 2026-03-31", test: is_date },
    Format { name: "time", rule: "a time, for example 14:30:00", test: is_time },
    Format {
        name: "date-time",
        rule: "a date and time, for example 2026-03-31T14:30:00Z",
        test: is_date_time,
    },
    Format { name: "ipv4", rule: "an IPv4 address, for example 192.0.2.10", test: is_ipv4 },
    Format {
        name: "ipv6",
        rule: "an IPv6 address, for example 2001:db8::1",
        test: |text| text.parse::<Ipv6Addr>().is_ok(),
    },
    Format { name: "hostname", rule: "a host name, for example shop.example.com", test: is_hostname },
    Format { name: "uuid", rule: "a UUID, for example 123e4567-e89b-12d3-a456-426614174000", test: is_uuid },
    Format {
        name: "data-url",
        rule: "a data address, for example data:text/plain;base64,aGk=",
        test: is_data_url,
    },
    Format { name: "color", rule: "a colour, for example #1f6feb", test: is_color },
    Format {
        name: "json-pointer",
        rule: "a JSON pointer, for example /spec/owner",
        test: |text| text.is_empty() || text.starts_with('/'),
    },
    Format {
        name: "regex",
        rule: "a regular expression",
        test: |text| super::pattern::Patterns::default().get(text).is_understood(),
    },
];

/// Finds a format by its name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

fn is_email(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(name, host)| {
        let dots = |name: &str| !name.starts_with('.') && !name.ends_with('.') && !name.contains("..");
        let sign = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        !name.is_empty() && dots(name) && name.chars().all(sign) && host.contains('.') && is_hostname(host)
    })
}

fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
            && !rest.is_empty()
            && !rest.contains(|c: char| c.is_whitespace() || "<>\"{}|\\^`".contains(c))
    })
}

fn is_url(text: &str) -> bool {
    is_uri(text)
        && url::Url::parse(text)
            .is_ok_and(|url| url.has_host() && matches!(url.scheme(), "http" | "https" | "ftp"))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_time(text: &str) -> bool {
    let clock = text.trim_end_matches(['Z', 'z']);
    let clock = clock.find(['+', '-']).and_then(|at| clock.get(..at)).unwrap_or(clock);
    let parts: Vec<&str> = clock.splitn(3, ':').collect();
    let in_range =
        |text: &str, most: u32| text.len() == 2 && text.parse::<u32>().is_ok_and(|number| number <= most);
    match parts.as_slice() {
        [hour, minute, second] => {
            let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
            in_range(hour, 23)
                && in_range(minute, 59)
                && in_range(second, 60)
                && fraction.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

fn is_date_time(text: &str) -> bool {
    text.split_once(['T', 't', ' ']).is_some_and(|(date, time)| {
        let has_zone = time.ends_with(['Z', 'z']) || time.contains(['+', '-']);
        is_date(date) && is_time(time) && has_zone
    })
}

fn is_hostname(text: &str) -> bool {
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.strip_suffix('.').unwrap_or(text).split('.').all(part)
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn is_data_url(text: &str) -> bool {
    let kind = text.strip_prefix("data:").and_then(|rest| rest.split_once("base64,")).map(|(kind, _)| kind);
    kind.is_some_and(|kind| kind.ends_with(';'))
}

/// Four numbers up to 255; leading zeros are let through, as everywhere else.
fn is_ipv4(text: &str) -> bool {
    let part = |part: &str| {
        (1..=3).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse::<u8>().is_ok()
    };
    text.split('.').count() == 4 && text.split('.').all(part)
}

fn is_color(text: &str) -> bool {
    match text.strip_prefix('#') {
        Some(code) => matches!(code.len(), 3 | 6) && code.bytes().all(|b| b.is_ascii_hexdigit()),
        None => {
            text.starts_with("rgb(")
                || text.bytes().all(|b| b.is_ascii_lowercase()) && (3..=8).contains(&text.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        let cases = [
            ("email", "a.b@c.org", "a@b"),
            ("uri", "urn:x", "example.com"),
            ("url", "https://x.org", "mailto:a@b.org"),
            ("date", "2024-02-29", "2023-02-29"),
            ("time", "23:59:60", "24:00:00"),
            ("date-time", "2024-02-29T10:00:00+01:00", "2024-02-29T10:00:00"),
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("ipv6", "::1", "::g"),
            ("hostname", "a-b.c", "-a.b"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
            ("data-url", "data:text/plain;base64,aGk=", "data:,x"),
            ("color", "#abc", "#abcd"),
            ("regex", "a+", "a("),
        ];
        for (name, good, bad) in cases {
            let format = find(name).unwrap();
            assert!((format.test)(good), "{name} {good}");
            assert!(!(format.test)(bad), "{name} {bad}");
        }
    }
}
