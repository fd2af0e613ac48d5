//! The grammar of predicates, read by descent:
//!
//! ```text
//! condition  = conjunct { "or" conjunct }
//! conjunct   = negation { "and" negation }
//! negation   = "not" negation | "(" condition ")" | "changed" "(" path ")" | path [ comparison operand ]
//! comparison = "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "~"
//! operand    = number | word | "\"" text "\"" | "true" | "false" | "null" | "[" [ operand { "," operand } ] "]" | path with a dot
//! path       = word { "." ( word | number ) }
//! ```

use synod_transport::trace::Value;

use super::predicate::{Comparison, Condition, Misread, Operand, Path};

/// How deep conditions and lists may nest.
pub(super) const DEEPEST: usize = 32;

pub(super) fn parse(text: &str) -> Result<Condition, Misread> {
    let end = text.trim_end().chars().count() + 1;
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end, depth: 0 };
    let condition = parser.condition()?;
    match parser.peek() {
        None => Ok(condition),
        Some(Token::Close) => Err(parser.misread("no parenthesis is open here")),
        Some(_) => Err(parser.misread("expected `and`, `or` or the end")),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Comparison(Comparison),
    /// Names, paths and words of the grammar.
    Word(String),
    Number(u64),
    Quoted(String),
}

/// Tokens with the columns at which they begin.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Misread> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut rest = letters.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        let column = letters.len() - rest.len() + 1;
        if first.is_whitespace() {
            rest = behind;
            continue;
        }
        let (token, length) = token(*first, rest, column)?;
        tokens.push((column, token));
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(tokens)
}

/// The token that `rest` begins with, and how many characters it has.
fn token(first: char, rest: &[char], column: usize) -> Result<(Token, usize), Misread> {
    let equals = rest.get(1) == Some(&'=');
    let comparison = |comparison, length| Ok((Token::Comparison(comparison), length));
    match first {
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        '[' => Ok((Token::OpenList, 1)),
        ']' => Ok((Token::CloseList, 1)),
        ',' => Ok((Token::Comma, 1)),
        '~' => comparison(Comparison::Contains, 1),
        '=' => comparison(Comparison::Equal, if equals { 2 } else { 1 }),
        '!' if equals => comparison(Comparison::NotEqual, 2),
        '<' if equals => comparison(Comparison::LessOrEqual, 2),
        '<' => comparison(Comparison::Less, 1),
        '>' if equals => comparison(Comparison::GreaterOrEqual, 2),
        '>' => comparison(Comparison::Greater, 1),
        '"' => quoted(rest, column),
        _ if is_of_word(first) => word(rest, column),
        _ => Err(Misread { column, problem: format!("{first:?} has no place here") }),
    }
}

/// Everything up to the next quotation mark; a backslash takes the character behind it as it is.
fn quoted(rest: &[char], column: usize) -> Result<(Token, usize), Misread> {
    let (mut text, mut letters) = (String::new(), rest.iter().zip(1..).skip(1));
    while let Some((letter, length)) = letters.next() {
        match letter {
            '"' => return Ok((Token::Quoted(text), length)),
            '\\' => text.extend(letters.next().map(|(letter, _)| letter)),
            _ => text.push(*letter),
        }
    }
    Err(Misread { column, problem: "this quotation has no end".to_owned() })
}

fn word(rest: &[char], column: usize) -> Result<(Token, usize), Misread> {
    let text: String = rest.iter().take_while(|letter| is_of_word(**letter)).collect();
    let length = text.chars().count();
    let misread = |problem: &str| Err(Misread { column, problem: problem.to_owned() });
    if text.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        let digits = text.replace('_', "");
        return match digits.parse() {
            Ok(number) => Ok((Token::Number(number), length)),
            Err(_) => misread("a number is whole and from 0 to 2^64 - 1; other text stands in quotes"),
        };
    }
    if text.split('.').any(str::is_empty) {
        return misread("a path is names and places with a dot between two of them");
    }
    Ok((Token::Word(text), length))
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_-.".contains(letter)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// The column behind the last character.
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += usize::from(token.is_some());
        token
    }

    fn take_if(&mut self, wanted: &Token) -> bool {
        let there = self.peek() == Some(wanted);
        self.next += usize::from(there);
        there
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Word(word)) if word == wanted);
        self.next += usize::from(there);
        there
    }

    /// The next token is the trouble.
    fn misread(&self, problem: &str) -> Misread {
        let column = self.tokens.get(self.next).map_or(self.end, |(column, _)| *column);
        Misread { column, problem: problem.to_owned() }
    }

    /// One level down, if there are that many.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Misread>) -> Result<T, Misread> {
        if self.depth > DEEPEST {
            return Err(self.misread(&format!("nested more than {DEEPEST} deep")));
        }
        self.depth += 1;
        let read = inner(self)?;
        self.depth -= 1;
        Ok(read)
    }

    fn condition(&mut self) -> Result<Condition, Misread> {
        self.chain("or", Self::conjunct, Condition::Any)
    }

    fn conjunct(&mut self) -> Result<Condition, Misread> {
        self.chain("and", |it| it.deeper(Self::negation), Condition::All)
    }

    fn chain(
        &mut self,
        joint: &str,
        part: impl Fn(&mut Self) -> Result<Condition, Misread>,
        join: impl Fn(Vec<Condition>) -> Condition,
    ) -> Result<Condition, Misread> {
        let first = part(self)?;
        let mut rest = Vec::new();
        while self.take_word(joint) {
            rest.push(part(self)?);
        }
        if rest.is_empty() {
            return Ok(first);
        }
        rest.insert(0, first);
        Ok(join(rest))
    }

    fn negation(&mut self) -> Result<Condition, Misread> {
        if self.take_word("not") {
            return Ok(Condition::Not(Box::new(self.deeper(Self::negation)?)));
        }
        if self.take_if(&Token::Open) {
            let inner = self.condition()?;
            self.close()?;
            return Ok(inner);
        }
        let called = self.tokens.get(self.next + 1).is_some_and(|(_, token)| *token == Token::Open);
        if called && self.take_word("changed") {
            return self.changed();
        }
        let path = self.path("a condition begins with a field, `not`, `changed(…)` or a parenthesis")?;
        match self.peek() {
            Some(Token::Comparison(comparison)) => {
                let comparison = *comparison;
                self.next += 1;
                Ok(Condition::Compare(path, comparison, self.operand()?))
            }
            _ => Ok(Condition::Given(path)),
        }
    }

    /// What stands behind `changed`.
    fn changed(&mut self) -> Result<Condition, Misread> {
        self.next += 1;
        let at = self.misread("only `state`, or a field of it, changes: `changed(state.term)`");
        let path = self.path("expected a field of the state")?;
        if path.root() != "state" {
            return Err(at);
        }
        self.close()?;
        Ok(Condition::Changed(path))
    }

    fn close(&mut self) -> Result<(), Misread> {
        if self.take_if(&Token::Close) { Ok(()) } else { Err(self.misread("expected `)`")) }
    }

    fn path(&mut self, problem: &str) -> Result<Path, Misread> {
        match self.peek() {
            Some(Token::Word(word)) if !matches!(&**word, "and" | "or" | "not") => {
                let path = Path(word.split('.').map(str::to_owned).collect());
                self.next += 1;
                Ok(path)
            }
            _ => Err(self.misread(problem)),
        }
    }

    fn operand(&mut self) -> Result<Operand, Misread> {
        match self.peek() {
            Some(Token::Word(word)) if word.contains('.') => Ok(Operand::Field(self.path("")?)),
            _ => Ok(Operand::Value(self.value()?)),
        }
    }

    fn value(&mut self) -> Result<Value, Misread> {
        let misread = self.misread("expected a number, a word, \"text\", a list or a field with a dot");
        match self.take() {
            Some(Token::Number(number)) => Ok(Value::Number(number)),
            Some(Token::Quoted(text)) => Ok(Value::from(text)),
            Some(Token::OpenList) => self.deeper(Self::list),
            Some(Token::Word(word)) => match &*word {
                "true" | "false" => Ok(Value::Bool(word == "true")),
                "null" => Ok(Value::Null),
                "and" | "or" | "not" => Err(misread),
                _ => Ok(Value::from(word)),
            },
            _ => Err(misread),
        }
    }

    /// What stands behind an opening bracket.
    fn list(&mut self) -> Result<Value, Misread> {
        let mut values = Vec::new();
        if self.take_if(&Token::CloseList) {
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value()?);
            if self.take_if(&Token::CloseList) {
                return Ok(Value::List(values));
            }
            if !self.take_if(&Token::Comma) {
                return Err(self.misread("expected `,` or `]`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The condition as a term with every parenthesis.
    fn shown(condition: &Condition) -> String {
        let parts = |parts: &[Condition], joint: &str| {
            format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(joint))
        };
        match condition {
            Condition::All(all) => parts(all, " and "),
            Condition::Any(any) => parts(any, " or "),
            Condition::Not(inner) => format!("not {}", shown(inner)),
            Condition::Compare(path, comparison, Operand::Value(value)) => {
                format!("{path} {comparison:?} {}", super::super::value::Shown(value))
            }
            Condition::Compare(path, comparison, Operand::Field(other)) => {
                format!("{path} {comparison:?} <{other}>")
            }
            Condition::Given(path) => path.to_string(),
            Condition::Changed(path) => format!("changed {path}"),
        }
    }

    #[track_caller]
    fn good(text: &str, expected: &str) {
        assert_eq!(parse(text).map(|condition| shown(&condition)), Ok(expected.to_owned()), "{text}");
    }

    #[track_caller]
    fn bad(text: &str, column: usize, problem: &str) {
        let error = parse(text).expect_err(text);
        assert!(error.column == column && error.problem.contains(problem), "{text}: {error}");
    }

    #[test]
    fn what_is_well_formed() {
        good("node = 3", "node Equal 3");
        good("node==1_000", "node Equal 1000");
        good("a or b and not c or d", "(a or (b and not c) or d)");
        good("( a or b ) and c", "((a or b) and c)");
        good("not (a and b)", "not (a and b)");
        good("not not a", "not not a");
        good("event ~ Become", "event Contains Become");
        good("reason != message-cut-off", "reason NotEqual message-cut-off");
        good(r#"why ~ "a \"b\" \\""#, r#"why Contains "a \"b\" \\""#);
        good("state.matched.0<=message.commit", "state.matched.0 LessOrEqual <message.commit>");
        good(
            "state.log.runs >= [[1,2], [], null, true]",
            "state.log.runs GreaterOrEqual [[1, 2], [], -, true]",
        );
        good("changed(state.term)", "changed state.term");
        good("changed", "changed");
        good("changed = 1", "changed Equal 1");
        good("größe = 1", "größe Equal 1");
        good("a = 18446744073709551615", "a Equal 18446744073709551615");
    }

    #[test]
    fn what_is_not_says_where() {
        let begins = "a condition begins with a field";
        bad("", 1, begins);
        bad("   ", 1, begins);
        bad("node =", 7, "expected a number");
        bad("node =   ", 7, "expected a number");
        bad("node 3", 6, "expected `and`, `or` or the end");
        bad("3 = node", 1, begins);
        bad("node = 3 and", 13, begins);
        bad("node = and", 8, "expected a number");
        bad("node = 3 or or", 13, begins);
        bad("(node = 3", 10, "expected `)`");
        bad("node = 3)", 9, "no parenthesis is open");
        bad("node = 3 $ 4", 10, "'$' has no place here");
        bad("ö ! 4", 3, "'!' has no place here");
        bad("a = \"x", 5, "this quotation has no end");
        bad("a = \"x\\", 5, "this quotation has no end");
        bad("a = 3x", 5, "a number is whole");
        bad("a = -3", 5, "a number is whole");
        bad("a = 18446744073709551616", 5, "a number is whole");
        bad("a..b = 1", 1, "a path is names");
        bad("a = b.", 5, "a path is names");
        bad("a = [1 2]", 8, "expected `,` or `]`");
        bad("a = [1, ", 8, "expected a number");
        bad("changed(peer)", 9, "only `state`");
        bad("changed(state.term", 19, "expected `)`");
        bad("changed()", 9, "expected a field of the state");
    }

    #[test]
    fn nesting_has_a_bound() {
        let nested = |open: &str, inner: &str, close: &str, times: usize| {
            format!("{}{inner}{}", open.repeat(times), close.repeat(times))
        };
        assert!(parse(&nested("(", "a", ")", DEEPEST)).is_ok());
        assert!(parse(&nested("not ", "a", "", DEEPEST)).is_ok());
        let deep = "nested more than 32 deep";
        bad(&nested("(", "a", ")", DEEPEST + 1), DEEPEST + 2, deep);
        bad(&nested("not ", "a", "", DEEPEST + 1), 4 * (DEEPEST + 1) + 1, deep);
        bad(&nested("(", "a", ")", 100_000), DEEPEST + 2, deep);
        bad(&format!("a = {}", "[".repeat(100_000)), 4 + DEEPEST + 2, deep);
        assert!(parse(&format!("a{}", " and a".repeat(10_000))).is_ok(), "a chain is not deep");
    }
}
