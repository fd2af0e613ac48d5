//! How well text can be told from what is behind it (WCAG 2.2, section 1.4.3).

use std::collections::BTreeMap;

/// The contrast of two colours `#rrggbb`, from 1 to 21; `None` when one is no such colour.
pub fn contrast(one: &str, other: &str) -> Option<f64> {
    let (one, other) = (luminance(one)?, luminance(other)?);
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

/// The variables that style sheets set, `--name: value;`, in the order of the text: those of `light` first.
pub fn variables(rule: &str) -> BTreeMap<String, String> {
    let declared = rule.split([';', '{', '}']).filter_map(|it| it.trim().strip_prefix("--")?.split_once(':'));
    declared.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

/// Relative luminance.
fn luminance(colour: &str) -> Option<f64> {
    let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?) / 255.0;
        Some(if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    Some(0.2126 * part(0)? + 0.7152 * part(2)? + 0.0722 * part(4)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_contrasts() {
        let rounded = |one, other| contrast(one, other).map(|it| (it * 100.0).round() / 100.0);
        assert_eq!(rounded("#000000", "#ffffff"), Some(21.0));
        assert_eq!(rounded("#777777", "#ffffff"), Some(4.48));
        assert_eq!(rounded("#ffffff", "#767676"), Some(4.54));
        assert_eq!(contrast("red", "#ffffff"), None);
    }

    #[test]
    fn variables_are_found() {
        let found = variables(".picture { --paper: #ffffff; --ink:#1c2126; color: red; }");
        assert_eq!(found.get("paper").map(String::as_str), Some("#ffffff"));
        assert_eq!(found.get("ink").map(String::as_str), Some("#1c2126"));
        assert_eq!(found.len(), 2);
    }
}
