//! Values of a trace as text. Nothing that a file holds reaches the terminal as a control character.

use core::fmt;
use std::borrow::Cow;

use synod_transport::trace::Value;

/// A value in one line: `{log: {base: [1, 4], runs: []}, role: Leader}`; nothing is `-`, and text that is no plain word
/// stands in quotes.
pub(super) struct Shown<'a>(pub(super) &'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => out.write_str("-"),
            Value::Bool(it) => write!(out, "{it}"),
            Value::Number(it) => write!(out, "{it}"),
            Value::Text(it) if is_word(it) => out.write_str(it),
            Value::Text(it) => write!(out, "{it:?}"),
            Value::List(values) => {
                out.write_str("[")?;
                for (place, value) in values.iter().enumerate() {
                    let comma = if place > 0 { ", " } else { "" };
                    write!(out, "{comma}{}", Shown(value))?;
                }
                out.write_str("]")
            }
            Value::Record(fields) => {
                out.write_str("{")?;
                for (place, (name, value)) in fields.iter().enumerate() {
                    let comma = if place > 0 { ", " } else { "" };
                    write!(out, "{comma}{}: {}", printable(name), Shown(value))?;
                }
                out.write_str("}")
            }
        }
    }
}

fn is_word(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(plain)
}

/// The text, with all that is not for the eye escaped.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let hidden = |letter: char| letter != ' ' && letter.escape_debug().len() > 1 && !"\"'\\".contains(letter);
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let shown = |letter: char| if hidden(letter) { letter.escape_debug().to_string() } else { letter.into() };
    Cow::Owned(text.chars().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::replay::testing::value;

    #[test]
    fn a_value_in_one_line() {
        let text =
            r#"{"a":[1,[2,3]],"b":{"c":null,"d":true},"e":"Leader","f":"two words","g":"","h":"true1"}"#;
        let shown = r#"{a: [1, [2, 3]], b: {c: -, d: true}, e: Leader, f: "two words", g: "", h: true1}"#;
        assert_eq!(Shown(&value(text)).to_string(), shown);
    }

    proptest! {
        #[test]
        fn no_control_character_comes_through(text in any::<String>()) {
            prop_assert!(!printable(&text).contains(char::is_control));
            prop_assert!(!Shown(&Value::from(text)).to_string().contains(char::is_control));
        }
    }
}
