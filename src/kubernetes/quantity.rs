//! Quantities as Kubernetes writes them: `250m`, `64Mi`, `1e3`, `123456n`.
//!
//! Reading never fails loudly: what is not a quantity is `None`, what is below nothing is nothing.

/// Returns the thousandths of a core that a text means, rounded: `250m` is 250, `2` is 2000, `123456n` is 0.
pub fn millicores(text: &str) -> Option<u64> {
    parse(text).map(|amount| whole(amount * 1000.0))
}

/// Returns the bytes (or pieces) that a text means, rounded: `64Mi` is 67108864, `1e3` is 1000.
pub fn bytes(text: &str) -> Option<u64> {
    parse(text).map(whole)
}

/// Returns the number that a text means: an optional sign, digits, and a suffix of `n u m k M G T P E`,
/// `Ki Mi Gi Ti Pi Ei` or a decimal exponent (Kubernetes: *Quantity*).
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    let end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    if !number.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    let amount = number * factor(suffix)?;
    amount.is_finite().then_some(amount)
}

fn factor(suffix: &str) -> Option<f64> {
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" | "µ" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0_f64.powi(2),
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        _ => return exponent(suffix),
    };
    Some(factor)
}

fn exponent(suffix: &str) -> Option<f64> {
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    // More than any machine has, and less than what overflows.
    (-30..=30).contains(&power).then(|| 10.0_f64.powi(power))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates at both ends, which is what is meant"
)]
fn whole(amount: f64) -> u64 {
    amount.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_suffix() {
        let cases = [
            ("0", 0),
            ("12", 12),
            ("1.5k", 1500),
            ("3M", 3_000_000),
            ("2G", 2_000_000_000),
            ("1T", 1_000_000_000_000),
            ("1P", 1_000_000_000_000_000),
            ("1E", 1_000_000_000_000_000_000),
            ("65536Ki", 67_108_864),
            ("64Mi", 67_108_864),
            ("1.5Gi", 1_610_612_736),
            ("1Ti", 1 << 40),
            ("1Pi", 1 << 50),
            ("1Ei", 1 << 60),
            ("1e3", 1000),
            ("1E3", 1000),
            ("12e-1", 1),
            ("+7", 7),
            ("128974848000m", 128_974_848),
            (".5Ki", 512),
            ("-5", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn reads_cores() {
        let cases = [
            ("250m", 250),
            ("2", 2000),
            ("0.1", 100),
            ("123456789n", 123),
            ("1500000n", 2),
            ("3200u", 3),
            ("1k", 1_000_000),
        ];
        for (text, expected) in cases {
            assert_eq!(millicores(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_quantity() {
        for text in ["", "m", "Mi", "1.2.3", "12X", "1e", "1e999", "--1", "NaN", "inf", "1 Gi", "٣", "e3"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
