//! A Rust file as the rules see it: its tokens, so that comments and strings never match; its functions; and which of
//! its lines are tests.

use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// One token with the line it stands on. Literals are all the same: their text is nobody's business here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A function with its lines, from its signature to its closing brace.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) lines: RangeInclusive<usize>,
}

/// A parsed source file.
#[derive(Debug, Default)]
pub(super) struct RustFile {
    pub(super) path: String,
    pub(super) line_count: usize,
    /// The tokens in order, and behind them every path that a `use` brings in, written out.
    pub(super) tokens: Vec<Token>,
    pub(super) functions: Vec<Function>,
    /// Why it could not be parsed.
    pub(super) error: Option<(usize, String)>,
    test_lines: Vec<RangeInclusive<usize>>,
    test_modules: Vec<String>,
    all_test: bool,
}

impl RustFile {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let mut file = Self { path: path.to_owned(), line_count: text.lines().count(), ..Self::default() };
        file.all_test = path.split('/').any(|part| part == "tests");
        match text.parse::<TokenStream>() {
            Ok(tokens) => flatten(tokens, &mut file.tokens),
            Err(error) => file.error = Some((error.span().start().line, error.to_string())),
        }
        match syn::parse_file(text) {
            Ok(parsed) => file.visit_file(&parsed),
            Err(error) => file.error = Some((error.span().start().line, error.to_string())),
        }
        file
    }

    /// Whether this line is compiled for tests or test kits alone.
    pub(super) fn is_test(&self, line: usize) -> bool {
        self.all_test || self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// Lines on which the tokens of `pattern` stand in a row. A pattern is Rust without literals: `Instant::now`.
    pub(super) fn find(&self, pattern: &str) -> Vec<usize> {
        let wanted = split(pattern);
        let matches =
            |window: &&[Token]| window.iter().map(|token| token.text.as_str()).eq(wanted.iter().copied());
        let mut lines: Vec<usize> = self
            .tokens
            .windows(wanted.len())
            .filter(matches)
            .filter_map(|window| window.first())
            .map(|it| it.line)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    fn note_if_test(&mut self, attributes: &[syn::Attribute], span: proc_macro2::Span) -> bool {
        let test = attributes.iter().any(is_test_attribute);
        if test {
            self.test_lines.push(span.start().line..=span.end().line);
        }
        test
    }
}

/// Marks the files of modules that another file declares for tests alone.
pub(super) fn spread_test_modules(files: &mut [RustFile]) {
    let stems: Vec<String> = files.iter().flat_map(|file| file.test_modules.iter().cloned()).collect();
    for file in files {
        let below = |stem: &String| {
            file.path.strip_prefix(stem.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        file.all_test |= stems.iter().any(below);
    }
}

/// Whether an attribute keeps its item out of a plain build: a test, or part of a test kit.
fn is_test_attribute(attribute: &syn::Attribute) -> bool {
    match &attribute.meta {
        syn::Meta::Path(path) => path.segments.last().is_some_and(|segment| segment.ident == "test"),
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let text = list.tokens.to_string().replace(' ', "");
            text == "test"
                || text.starts_with("all(test,")
                || text == "feature=\"testing\""
                || text == "any(test,feature=\"testing\")"
        }
        _ => false,
    }
}

/// Path, without `.rs`, of a module that `file` declares.
fn module_stem(file: &str, module: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => format!("{folder}/{module}"),
        _ => format!("{folder}/{}/{module}", name.trim_end_matches(".rs")),
    }
}

impl Visit<'_> for RustFile {
    fn visit_item(&mut self, item: &syn::Item) {
        let attributes: &[syn::Attribute] = match item {
            syn::Item::Fn(it) => &it.attrs,
            syn::Item::Impl(it) => &it.attrs,
            syn::Item::Mod(it) => &it.attrs,
            syn::Item::Use(it) => &it.attrs,
            syn::Item::Macro(it) => &it.attrs,
            syn::Item::Struct(it) => &it.attrs,
            _ => &[],
        };
        let test = self.note_if_test(attributes, item.span());
        if let (true, syn::Item::Mod(module)) = (test, item) {
            if module.content.is_none() {
                self.test_modules.push(module_stem(&self.path, &module.ident.to_string()));
            }
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        let lines = item.sig.span().start().line..=item.block.span().end().line;
        self.functions.push(Function { name: item.sig.ident.to_string(), lines });
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
        self.note_if_test(&item.attrs, item.span());
        let lines = item.sig.span().start().line..=item.block.span().end().line;
        self.functions.push(Function { name: item.sig.ident.to_string(), lines });
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &syn::TraitItemFn) {
        if let Some(block) = &item.default {
            let lines = item.sig.span().start().line..=block.span().end().line;
            self.functions.push(Function { name: item.sig.ident.to_string(), lines });
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        write_out(&item.tree, &mut Vec::new(), &mut self.tokens);
    }
}

/// Appends every path of a use tree, written out, each ended by a semicolon.
fn write_out(tree: &syn::UseTree, prefix: &mut Vec<String>, out: &mut Vec<Token>) {
    let mut leaf = |name: &syn::Ident, prefix: &[String]| {
        let line = name.span().start().line;
        let mut push = |text: &str| out.push(Token { text: text.to_owned(), line });
        for part in prefix {
            push(part);
            push(":");
            push(":");
        }
        push(&name.to_string());
        push(";");
    };
    match tree {
        syn::UseTree::Name(it) if it.ident == "self" => {
            if let Some((last, before)) = prefix.split_last() {
                leaf(&syn::Ident::new(last, it.ident.span()), before);
            }
        }
        syn::UseTree::Name(it) => leaf(&it.ident, prefix),
        syn::UseTree::Rename(it) => leaf(&it.ident, prefix),
        syn::UseTree::Glob(_) => {}
        syn::UseTree::Path(it) => {
            prefix.push(it.ident.to_string());
            write_out(&it.tree, prefix, out);
            prefix.pop();
        }
        syn::UseTree::Group(it) => it.items.iter().for_each(|tree| write_out(tree, prefix, out)),
    }
}

fn flatten(tokens: TokenStream, out: &mut Vec<Token>) {
    let token =
        |text: &str, span: proc_macro2::Span| Token { text: text.to_owned(), line: span.start().line };
    for tree in tokens {
        match tree {
            TokenTree::Ident(it) => out.push(token(&it.to_string(), it.span())),
            TokenTree::Punct(it) => out.push(token(it.as_char().encode_utf8(&mut [0; 4]), it.span())),
            TokenTree::Literal(it) => out.push(token("\"\"", it.span())),
            TokenTree::Group(it) => {
                let (open, close) = match it.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                out.push(token(open, it.span_open()));
                flatten(it.stream(), out);
                out.push(token(close, it.span_close()));
            }
        }
    }
}

/// A pattern as tokens: words and single characters.
fn split(pattern: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = pattern.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |it: char| it.is_alphanumeric() || it == '_';
        let end =
            if word(first) { rest.find(|it| !word(it)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after.trim_start();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_match_over_lines_and_never_in_comments_or_strings() {
        let text = "// dbg!(1)\n/// dbg!(2)\nfn f() { let _ = \"dbg!(3)\"; }\nfn g() { dbg\n!(4) }\n";
        assert_eq!(RustFile::parse("a.rs", text).find("dbg!("), [4]);
    }

    #[test]
    fn a_nested_use_is_written_out() {
        let file = RustFile::parse("a.rs", "use std::{\n  fmt,\n  thread::{self, spawn as go},\n};\n");
        assert_eq!(file.find("std::thread"), [3]);
        assert_eq!(file.find("std::thread::spawn"), [3]);
        assert_eq!(file.find("std::fs"), Vec::<usize>::new());
    }

    #[test]
    fn functions_are_measured_wherever_they_stand() {
        let text = "/// Doc.\nfn free() {\n}\nimpl A {\n  fn method(&self) {\n  }\n}\ntrait T {\n  fn must();\n  fn may() {}\n}\n";
        let file = RustFile::parse("a.rs", text);
        let found: Vec<_> = file.functions.iter().map(|it| (it.name.as_str(), it.lines.clone())).collect();
        assert_eq!(found, [("free", 2..=3), ("method", 5..=6), ("may", 10..=10)]);
    }

    #[test]
    fn tests_are_told_from_the_rest() {
        let text = "fn f() {}\n#[cfg(test)]\nmod tests {\n  fn g() {}\n}\n#[test]\nfn h() {}\n#[cfg(not(test))]\nfn i() {}\n";
        let file = RustFile::parse("a/src/b.rs", text);
        let found: Vec<usize> = (1..=9).filter(|line| file.is_test(*line)).collect();
        assert_eq!(found, [2, 3, 4, 5, 6, 7]);
        assert!(RustFile::parse("a/tests/b.rs", text).is_test(1));
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_is_a_test() {
        let mut files = [
            RustFile::parse("a/src/lib.rs", "#[cfg(feature = \"testing\")]\npub mod testing;\nmod plain;\n"),
            RustFile::parse("a/src/testing.rs", "fn f() {}\n"),
            RustFile::parse("a/src/testing/deep.rs", "fn f() {}\n"),
            RustFile::parse("a/src/plain.rs", "#[cfg(test)]\nmod model;\n"),
            RustFile::parse("a/src/plain/model.rs", "fn f() {}\n"),
        ];
        spread_test_modules(&mut files);
        let test: Vec<_> = files.iter().filter(|it| it.is_test(1)).map(|it| it.path.as_str()).collect();
        // The declaration itself, on line 1, is a test line too.
        assert_eq!(
            test,
            [
                "a/src/lib.rs",
                "a/src/testing.rs",
                "a/src/testing/deep.rs",
                "a/src/plain.rs",
                "a/src/plain/model.rs"
            ]
        );
        assert!(!files.iter().any(|it| it.path == "a/src/lib.rs" && it.is_test(3)));
    }

    #[test]
    fn a_file_that_is_not_rust_says_where() {
        let file = RustFile::parse("a.rs", "fn f() {}\nfn {\n");
        assert!(matches!(file.error, Some((line, _)) if line >= 2), "{:?}", file.error);
    }
}
