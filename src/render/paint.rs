//! Colours, where the reader's terminal has them.

/// What a piece of text is for; each has one colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Titles.
    Strong,
    /// Where something comes from.
    Dim,
    /// Made.
    Good,
    /// Changed, or worth a look.
    Warn,
    /// Destroyed, refused or failed.
    Bad,
    /// Taken over.
    Note,
}

impl Style {
    /// SGR parameters of ECMA-48: bold and the eight standard colours, which every terminal has.
    fn code(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Note => "36",
        }
    }
}

/// A piece of a line: what is printed, and how many columns it takes without colour codes.
///
/// A column is a character: boma's own words and the names it manages are of single width.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    text: String,
    columns: usize,
}

impl Span {
    /// Text without colour.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { columns: text.chars().count(), text }
    }

    /// Joins two pieces.
    pub fn then(mut self, next: Self) -> Self {
        self.text.push_str(&next.text);
        self.columns += next.columns;
        self
    }

    /// Without colour codes.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// With colour codes.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Paints, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    /// Whether the reader wants colours.
    pub color: bool,
}

impl Paint {
    /// One piece in one colour.
    pub fn span(self, style: Style, text: &str) -> Span {
        let columns = text.chars().count();
        let text = if self.color && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
        } else {
            text.to_owned()
        };
        Span { text, columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_takes_no_columns() {
        let span = Paint { color: true }.span(Style::Bad, "no");
        assert_eq!((span.as_str(), span.columns()), ("\u{1b}[31mno\u{1b}[0m", 2));
        assert_eq!(Paint { color: false }.span(Style::Bad, "no"), Span::plain("no"));
    }
}
