//! The comments of the `.proto` files, made into documentation.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};
use serde_json::Value;

/// What begins a line that gives an example in JSON.
const EXAMPLE: &str = "Example:";

/// The comments of all files of a pool, by file and by the path of what they describe.
pub(super) struct Comments {
    files: HashMap<String, HashMap<Vec<i32>, Comment>>,
}

/// The comment of one descriptor.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Comment {
    /// The text, with examples taken out: paragraphs, each on one line, with an empty line between two.
    pub(super) text: String,
    /// The example that the comment gives.
    pub(super) example: Option<Value>,
}

impl Comments {
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        let files = pool.files().map(|file| (file.name().to_owned(), of_file(&file)));
        Self { files: files.collect() }
    }

    /// The comment of what lies at a path of a file; empty when there is none.
    pub(super) fn at(&self, file: &FileDescriptor, path: &[i32]) -> Comment {
        let comment = self.files.get(file.name()).and_then(|comments| comments.get(path));
        comment.cloned().unwrap_or_default()
    }
}

fn of_file(file: &FileDescriptor) -> HashMap<Vec<i32>, Comment> {
    let Some(info) = &file.file_descriptor_proto().source_code_info else {
        return HashMap::new();
    };
    let commented = info.location.iter().filter_map(|location| {
        let leading = location.leading_comments.as_deref();
        let text = leading.or(location.trailing_comments.as_deref())?;
        Some((location.path.clone(), Comment::parse(text)))
    });
    commented.collect()
}

impl Comment {
    pub(super) fn parse(raw: &str) -> Self {
        let mut comment = Self::default();
        let lines: Vec<&str> = raw.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        for paragraph in lines.split(|line| line.trim().is_empty()) {
            let text = comment.take_example(paragraph);
            let text = joined(text);
            if !text.is_empty() {
                if !comment.text.is_empty() {
                    comment.text.push_str("\n\n");
                }
                comment.text.push_str(&text);
            }
        }
        comment
    }

    /// Takes the example from the end of a paragraph and gives the lines before it.
    fn take_example<'a>(&mut self, paragraph: &'a [&'a str]) -> &'a [&'a str] {
        let Some(start) = paragraph.iter().position(|line| line.starts_with(EXAMPLE)) else {
            return paragraph;
        };
        let (before, example) = paragraph.split_at(start);
        let json = example.join("\n");
        match serde_json::from_str(json.trim_start_matches(EXAMPLE)) {
            Ok(value) => {
                self.example = Some(value);
                before
            }
            Err(_) => paragraph,
        }
    }

    /// The first sentence, without its full stop.
    pub(super) fn summary(&self) -> &str {
        let (sentence, _) = split_sentence(&self.text);
        sentence.strip_suffix('.').unwrap_or(sentence)
    }

    /// What follows the first sentence.
    pub(super) fn rest(&self) -> &str {
        split_sentence(&self.text).1
    }
}

/// One line for a paragraph; items of a list keep their lines.
fn joined(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let is_item = line.starts_with("- ") || line.starts_with("* ") || line.starts_with("    ");
        if !text.is_empty() {
            text.push(if is_item { '\n' } else { ' ' });
        }
        text.push_str(if is_item { line.trim_end() } else { line.trim() });
    }
    text
}

/// A text as its first sentence and what follows. A full stop ends a sentence when what looks like a new one follows,
/// so that `e.g. this` does not.
fn split_sentence(text: &str) -> (&str, &str) {
    let first = text.split("\n\n").next().unwrap_or_default();
    let ends_at = |index: &usize| {
        let follows = first.get(index + 1..).unwrap_or_default();
        let begins_anew = |c: char| c.is_uppercase() || matches!(c, '`' | '"' | '(');
        follows.starts_with(' ') && follows.trim_start().starts_with(begins_anew)
    };
    let end = first
        .match_indices(['.', '!', '?'])
        .map(|(index, _)| index)
        .find(ends_at);
    let end = end.map_or(first.len(), |index| index + 1);
    let (sentence, rest) = text.split_at(end);
    (sentence, rest.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paragraphs_are_joined_and_examples_taken_out() {
        let comment =
            Comment::parse(" One two\n three. Four.\n\n Five:\n - six\n - seven\n\n Example: {\"a\": [1,\n 2]}\n");
        assert_eq!(comment.text, "One two three. Four.\n\nFive:\n- six\n- seven");
        assert_eq!(comment.example, Some(json!({"a": [1, 2]})));
        assert_eq!(comment.summary(), "One two three");
        assert_eq!(comment.rest(), "Four.\n\nFive:\n- six\n- seven");
    }

    #[test]
    fn what_is_no_json_stays_text() {
        let comment = Comment::parse(" Example: see below.");
        assert_eq!(comment.text, "Example: see below.");
        assert_eq!(comment.example, None);
    }

    #[test]
    fn an_abbreviation_ends_no_sentence() {
        let comment = Comment::parse(" Takes units, e.g. metres of v1.2 or so. `x` is one.");
        assert_eq!(comment.summary(), "Takes units, e.g. metres of v1.2 or so");
        assert_eq!(comment.rest(), "`x` is one.");
        assert_eq!(Comment::parse(" Alone.").rest(), "");
    }
}
