//! When a certificate ends: reads just enough of an X.509 certificate (RFC 5280, section 4.1) for that.
//!
//! A certificate is public; nothing else of a secret is looked at, and nothing is trusted because of this.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;

/// Longer texts are no certificate chains.
const LONGEST: usize = 256 * 1024;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Returns the end of the first certificate of a PEM text that is itself written in base64.
pub fn end_in_base64(text: &str) -> Option<Timestamp> {
    if text.len() > LONGEST {
        return None;
    }
    let pem = STANDARD.decode(text).ok()?;
    end_of_pem(std::str::from_utf8(&pem).ok()?)
}

fn end_of_pem(pem: &str) -> Option<Timestamp> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    end_of_der(&STANDARD.decode(body).ok()?)
}

fn end_of_der(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (mut body, _) = expect(certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        body = element(body)?.2;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        body = element(body)?.2;
    }
    let (validity, _) = expect(body, SEQUENCE)?;
    let (_, _, validity) = element(validity)?;
    let (tag, text, _) = element(validity)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// Splits off the first element: its tag, its contents, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    element(der).filter(|found| found.0 == tag).map(|(_, contents, rest)| (contents, rest))
}

fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let text = match tag {
        // Two digits of the year: 50 and more are of the last century.
        UTC_TIME => format!("{}{text}", if text.get(..2)? >= "50" { "19" } else { "20" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let digit = |range: std::ops::Range<usize>| text.get(range)?.parse::<i8>().ok();
    let year: i16 = text.get(..4)?.parse().ok()?;
    let time =
        DateTime::new(year, digit(4..6)?, digit(6..8)?, digit(8..10)?, digit(10..12)?, digit(12..14)?, 0)
            .ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's skeleton: version, serial, algorithm, issuer, validity.
    fn der(end: (u8, &str)) -> Vec<u8> {
        let wrap = |tag: u8, contents: &[u8]| {
            let mut all = vec![tag, 0x81, u8::try_from(contents.len()).unwrap()];
            all.extend_from_slice(contents);
            all
        };
        let validity = [wrap(UTC_TIME, b"200101000000Z"), wrap(end.0, end.1.as_bytes())].concat();
        let body = [
            wrap(VERSION, &wrap(2, &[2])),
            wrap(2, &[9]),
            wrap(SEQUENCE, &[]),
            wrap(SEQUENCE, &[]),
            wrap(SEQUENCE, &validity),
        ]
        .concat();
        wrap(SEQUENCE, &wrap(SEQUENCE, &body))
    }

    #[test]
    fn reads_both_forms_of_time() {
        let cases = [
            (UTC_TIME, "301231235959Z", "2030-12-31T23:59:59Z"),
            (UTC_TIME, "991231235959Z", "1999-12-31T23:59:59Z"),
            (GENERALIZED_TIME, "20511231235959Z", "2051-12-31T23:59:59Z"),
        ];
        for (tag, text, expected) in cases {
            assert_eq!(end_of_der(&der((tag, text))), expected.parse().ok(), "{text}");
        }
    }

    #[test]
    fn reads_it_out_of_a_secret() {
        let body = STANDARD.encode(der((UTC_TIME, "301231235959Z")));
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        assert_eq!(end_in_base64(&STANDARD.encode(pem)), "2030-12-31T23:59:59Z".parse().ok());
    }

    #[test]
    fn rubbish_has_no_end() {
        let whole = der((UTC_TIME, "301231235959Z"));
        for length in 0..whole.len() {
            assert_eq!(end_of_der(&whole[..length]), None, "{length}");
        }
        for time in ["309931235959Z", "30", "", "é0123123595é"] {
            assert_eq!(end_of_der(&der((UTC_TIME, time))), None, "{time}");
        }
        assert_eq!(end_in_base64("%%%"), None);
    }
}
