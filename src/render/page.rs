//! Lines with something at the right, aligned within their block.

use super::paint::Span;

/// Right texts of a short block begin here, which leaves room for one address at the left.
const RIGHT_MIN: usize = 57;

/// Right texts begin at this part of the width at the latest, in hundredths.
const RIGHT_MAX: usize = 60;

/// Columns between the left and the right text.
const GAP: usize = 2;

/// Lines that stand together.
#[derive(Clone, Debug, Default)]
pub struct Block {
    lines: Vec<(Span, Span)>,
}

impl Block {
    /// Adds a line.
    pub fn line(&mut self, left: Span) {
        self.lines.push((left, Span::default()));
    }

    /// Adds a line with something at the right.
    pub fn line_right(&mut self, left: Span, right: Span) {
        self.lines.push((left, right));
    }

    /// Adds the lines of another block; all right texts share one column.
    pub fn append(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines as text, each with its line break. A right text that is too long for its column
    /// begins earlier; where a left text is in its way it follows that, beyond `width`.
    pub fn render(&self, width: usize) -> String {
        let column = self.column(width);
        self.lines.iter().fold(String::new(), |mut text, (left, right)| {
            text.push_str(left.as_str());
            if right.columns() > 0 {
                let begin = column.min(width.saturating_sub(right.columns()));
                let gap = begin.saturating_sub(left.columns()).max(GAP);
                text.extend(std::iter::repeat_n(' ', gap));
                text.push_str(right.as_str());
            }
            text.push('\n');
            text
        })
    }

    fn column(&self, width: usize) -> usize {
        let pairs = self.lines.iter().filter(|(_, right)| right.columns() > 0);
        let left = pairs.map(|(left, _)| left.columns() + GAP).max().unwrap_or(0);
        left.max(RIGHT_MIN).min(width.saturating_mul(RIGHT_MAX) / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(width: usize, lines: &[(&str, &str)], expected: &str) {
        let mut block = Block::default();
        for (left, right) in lines {
            block.line_right(Span::plain(*left), Span::plain(*right));
        }
        assert_eq!(block.render(width), expected);
    }

    #[test]
    fn right_texts_share_a_column() {
        check(20, &[("a", "x:1"), ("b", "")], "a           x:1\nb\n");
        check(
            20,
            &[("a", "x:1"), ("long left text", "y")],
            concat!("a           x:1\n", "long left text  y\n",),
        );
        check(
            20,
            &[("a", "x:1"), ("b", "long right text")],
            concat!("a           x:1\n", "b    long right text\n",),
        );
    }
}
