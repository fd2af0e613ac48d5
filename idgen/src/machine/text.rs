//! A node's number as text: what people and orchestrators write.

use alloc::string::String;

use crate::layout::Layout;
use crate::node::{NodeError, NodeId};

/// Why a text is no node.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Neither a number nor a name that ends in `-` and a number. Digits alone, without sign, space or leading zero.
    #[error("`{text}` is neither a number nor a name with an ordinal, such as `web-7`")]
    Form {
        /// What was read.
        text: String,
    },
    /// The number does not fit the layout's node.
    #[error(transparent)]
    Range(#[from] NodeError),
    /// None of the variables is set.
    #[error("no variable says which node this is: none of {names} is set")]
    Missing {
        /// Which were looked for, with commas between them.
        names: String,
    },
}

/// The node that a text names: a plain number, or the ordinal of a pod's name such as `web-7`.
///
/// Ordinals are those of a StatefulSet. The names of other pods end at random, now and then in digits: give those a
/// variable with a number of its own, or a lease. For clap: `#[arg(value_parser = from_text::<Twitter>)]`.
///
/// ```
/// use synod_idgen::layout::Twitter;
/// use synod_idgen::machine::from_text;
///
/// assert_eq!(from_text::<Twitter>("web-7")?.get(), 7);
/// assert_eq!(from_text::<Twitter>("7")?.get(), 7);
/// for text in ["", "web", "web-", "web--7", "-7", "+7", "07", "web-07", "7 ", "web-7.local", "web_7", "web-5d4f8-x2x4z", "1024"] {
///     assert!(from_text::<Twitter>(text).is_err(), "{text}");
/// }
/// # Ok::<(), synod_idgen::machine::TextError>(())
/// ```
///
/// # Errors
/// [`TextError::Form`], [`TextError::Range`].
pub fn from_text<L: Layout>(text: &str) -> Result<NodeId<L>, TextError> {
    let form = || TextError::Form { text: text.into() };
    let is_name = |name: &str| {
        let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_known)
    };
    let digits = match text.rsplit_once('-') {
        Some((name, ordinal)) if is_name(name) && !name.ends_with('-') => ordinal,
        Some(_) => return Err(form()),
        None => text,
    };
    let is_plain = digits == "0" || !digits.starts_with('0');
    if !is_plain || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(form());
    }
    // So many digits that they are no number are certainly out of range.
    Ok(NodeId::new(digits.parse().unwrap_or(u64::MAX))?)
}

/// The node that the environment names: the first of the variables that is set must be a node.
///
/// ```
/// use synod_idgen::layout::Twitter;
/// use synod_idgen::machine::from_environment;
///
/// let read = |name: &str| (name == "HOSTNAME").then(|| "web-3".to_owned()); // |name| Some(std::env::var_os(name)?.to_string_lossy().into())
/// assert_eq!(from_environment::<Twitter>(read, &["NODE_ID", "HOSTNAME"])?.get(), 3);
/// # Ok::<(), synod_idgen::machine::TextError>(())
/// ```
///
/// # Errors
/// Any [`TextError`]. A variable that is set to something else is an error, and the next one is not asked.
pub fn from_environment<L: Layout>(
    read: impl Fn(&str) -> Option<String>,
    names: &[&str],
) -> Result<NodeId<L>, TextError> {
    let text = names.iter().find_map(|name| read(name));
    let text = text.ok_or_else(|| TextError::Missing { names: names.join(", ") })?;
    from_text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Twitter;

    #[test]
    fn what_is_set_wrongly_is_an_error_and_not_passed_over() {
        let read = |name: &str| Some(if name == "NODE_ID" { "seven" } else { "7" }.to_owned());
        let found = from_environment::<Twitter>(read, &["NODE_ID", "HOSTNAME"]);
        assert_eq!(found, Err(TextError::Form { text: "seven".into() }));
        let missing = from_environment::<Twitter>(|_| None, &["NODE_ID", "HOSTNAME"]).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "no variable says which node this is: none of NODE_ID, HOSTNAME is set"
        );
        assert_eq!(from_environment::<Twitter>(|_| Some(String::new()), &["N"]).ok(), None, "set, and empty");
    }

    #[test]
    fn idgen_p03_ordinals_out_of_range_are_errors_and_never_another_node() {
        for text in ["1024", "web-1024", "18446744073709551616", "web-99999999999999999999999"] {
            assert!(matches!(from_text::<Twitter>(text), Err(TextError::Range(_))), "{text}");
        }
        assert_eq!(from_text::<Twitter>("a-b-1023").map(NodeId::get), Ok(1023));
    }
}
