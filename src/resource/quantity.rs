//! Kubernetes quantities: `1Gi`, `500m`, `2`.
//!
//! Source: `k8s.io/apimachinery/pkg/api/resource`, the documented grammar of Quantity.

/// The amount in thousandths. `None` where the text is no quantity, is finer than that or does not
/// fit.
pub fn milli(text: &str) -> Option<i128> {
    let split =
        text.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let factor = match suffix {
        "m" => 1,
        "" => 1000,
        // `1e3`, where `1E` is a suffix.
        _ if suffix.len() > 1 && suffix.starts_with(['e', 'E']) && suffix != "Ei" => {
            let exponent: u32 = suffix[1..].parse().ok()?;
            1000_i128.checked_mul(10_i128.checked_pow(exponent)?)?
        }
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "P" => 1_000_000_000_000_000_000,
        "E" => 1_000_000_000_000_000_000_000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        "Pi" => 1000_i128 << 50,
        "Ei" => 1000_i128 << 60,
        _ => return None,
    };
    digits.checked_mul(factor)?.checked_div(scale)
}

#[cfg(test)]
mod tests {
    use super::milli;

    #[test]
    fn amounts_are_compared_not_spellings() {
        assert_eq!(milli("1Gi"), milli("1024Mi"));
        assert_eq!(milli("0.5"), milli("500m"));
        assert_eq!(milli("1.5Gi"), milli("1536Mi"));
        assert_ne!(milli("1G"), milli("1Gi"));
        assert_eq!(milli("1e3"), milli("1k"));
        assert_eq!(milli("1E3"), milli("1000"));
        assert_eq!(milli("1E"), milli("1000P"));
        assert_eq!(milli("1Ei"), milli("1024Pi"));
        assert_eq!(milli("1x"), None);
        assert_eq!(milli("1e"), None);
        assert_eq!(milli(""), None);
    }
}
