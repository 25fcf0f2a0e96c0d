//! Ways to place items: quick ones that may miss a placement, and one that tries all.

use super::amount::{Amount, Measure};
use super::puzzle::{Item, Puzzle};

/// How many rooms the search looks at before it gives up: a few milliseconds.
pub const WORK: usize = 50_000;

/// Which of the rooms that have place is taken.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// The first.
    First,
    /// The one that is fullest afterwards.
    Fullest,
    /// The one that is emptiest afterwards.
    Emptiest,
}

/// What came of trying all placements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is one.
    Found,
    /// There is none.
    Impossible,
    /// There was too much to try.
    GaveUp,
}

/// The item that a quick way found no room for, and what was missing: `None` where only others of
/// its group are in the way.
#[derive(Clone, Copy, Debug)]
pub struct Stuck {
    /// The item's piece.
    pub piece: usize,
    /// What was missing in the room that came nearest.
    pub lack: Option<(Measure, u64)>,
}

/// A placement in the making.
struct Board<'a> {
    puzzle: &'a Puzzle,
    free: Vec<Amount>,
    /// The room of each item that is placed, in the order of items.
    taken: Vec<usize>,
}

/// Places one item after the other.
///
/// # Errors
/// The first item that has no room.
pub fn quick(puzzle: &Puzzle, choice: Choice) -> Result<(), Stuck> {
    let mut board = Board::new(puzzle);
    for item in &puzzle.items {
        let rooms = puzzle.home(item).iter().copied();
        let mut fitting = rooms.filter(|room| board.has_place(item, *room));
        let left = |room: &usize| {
            let (free, whole) = (board.free.get(*room), puzzle.rooms.get(*room));
            let left = free.map(|free| free.minus(item.size)).unwrap_or_default();
            whole.map_or(0, |whole| left.share(whole))
        };
        let room = match choice {
            Choice::First => fitting.next(),
            Choice::Fullest => fitting.min_by_key(left),
            Choice::Emptiest => fitting.max_by_key(left),
        };
        match room {
            Some(room) => board.put(item, room),
            None => return Err(Stuck { piece: item.piece, lack: board.lack(item) }),
        }
    }
    Ok(())
}

/// An item that has no room even where nothing else is. `None` where each has one.
pub fn oversize(puzzle: &Puzzle) -> Option<Stuck> {
    let board = Board::new(puzzle);
    let alone = |item: &&Item| !puzzle.home(item).iter().any(|room| board.has_place(item, *room));
    let item = puzzle.items.iter().find(alone)?;
    Some(Stuck { piece: item.piece, lack: board.lack(item) })
}

/// Tries all placements that differ in more than names. Of placements that are the same but for
/// the names of equal items or rooms, only the one that comes first in the order of rooms is tried.
pub fn whole(puzzle: &Puzzle, work: usize) -> Outcome {
    let mut board = Board::new(puzzle);
    let mut looked = 0;
    // The room from which the item after those that are placed goes on.
    let mut from = 0;
    loop {
        let Some(item) = puzzle.items.get(board.taken.len()) else { return Outcome::Found };
        let next = (from..puzzle.rooms.len()).find(|room| {
            looked += 1;
            puzzle.home(item).contains(room)
                && board.has_place(item, *room)
                && !board.is_like_an_earlier(item, *room)
        });
        if looked > work {
            return Outcome::GaveUp;
        }
        match next {
            Some(room) => {
                board.put(item, room);
                from = board.first_room();
            }
            None => match board.take_back() {
                Some(room) => from = room + 1,
                None => return Outcome::Impossible,
            },
        }
    }
}

impl<'a> Board<'a> {
    fn new(puzzle: &'a Puzzle) -> Self {
        let taken = Vec::with_capacity(puzzle.items.len());
        Self { puzzle, free: puzzle.rooms.clone(), taken }
    }

    fn has_place(&self, item: &Item, room: usize) -> bool {
        let fits = self.free.get(room).is_some_and(|free| item.size.fits(free));
        fits && (item.group == 0 || self.siblings(item, room) < item.most)
    }

    /// Items of a group stand together, so those that are placed are the last ones.
    fn siblings(&self, item: &Item, room: usize) -> usize {
        let placed = self.puzzle.items.iter().zip(&self.taken).rev();
        let group = placed.take_while(|(other, _)| other.group == item.group);
        group.filter(|(_, taken)| **taken == room).count()
    }

    fn put(&mut self, item: &Item, room: usize) {
        if let Some(free) = self.free.get_mut(room) {
            *free = free.minus(item.size);
        }
        self.taken.push(room);
    }

    /// The room of the item that was placed last, which has none afterwards.
    fn take_back(&mut self) -> Option<usize> {
        let room = self.taken.pop()?;
        let item = self.puzzle.items.get(self.taken.len())?;
        let free = self.free.get_mut(room)?;
        *free = free.plus(item.size);
        Some(room)
    }

    /// Where the next item begins: not before one that is equal to it.
    fn first_room(&self) -> usize {
        let at = self.taken.len();
        let items = self.puzzle.items.get(at.wrapping_sub(1)).zip(self.puzzle.items.get(at));
        let equal = items.is_some_and(|(last, next)| {
            (last.size, last.home, last.group) == (next.size, next.home, next.group)
        });
        self.taken.last().copied().filter(|_| equal).unwrap_or(0)
    }

    /// Whether an earlier room stands for this one, too: whatever goes on from here would be the
    /// same with the two exchanged.
    fn is_like_an_earlier(&self, item: &Item, room: usize) -> bool {
        let same = |other: &usize| {
            self.puzzle.class.get(*other) == self.puzzle.class.get(room)
                && self.free.get(*other) == self.free.get(room)
                && (item.group == 0 || self.siblings(item, *other) == self.siblings(item, room))
        };
        (self.first_room()..room).any(|other| same(&other))
    }

    /// What an item lacks in the room that comes nearest to having it.
    fn lack(&self, item: &Item) -> Option<(Measure, u64)> {
        let share = |(room, (measure, missing)): &(usize, (Measure, u64))| {
            let whole = self.puzzle.rooms.get(*room).map_or(1, |whole| whole.of(*measure)).max(1);
            u128::from(*missing).saturating_mul(1_000_000) / u128::from(whole)
        };
        let rooms = self.puzzle.home(item).iter();
        let lacks = rooms.filter_map(|room| Some((*room, item.size.lack(self.free.get(*room)?)?)));
        lacks.min_by_key(share).map(|(_, lack)| lack)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const WAYS: [Choice; 3] = [Choice::First, Choice::Fullest, Choice::Emptiest];

    fn amount(volumes: u64, memory_mib: u64) -> Amount {
        Amount { volumes, memory_mib, ..Amount::default() }
    }

    /// Numbers that a seed stands for (xorshift).
    fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        }
    }

    /// Items of two measures, some of them tied to two rooms, some in groups that keep apart.
    fn small(seed: u64) -> Puzzle {
        let mut next = numbers(seed);
        let rooms: Vec<Amount> = (0..3).map(|_| amount(3 + next(4), 4 + next(5))).collect();
        let homes = vec![vec![0, 1, 2], vec![0, 2]];
        let mut items = Vec::new();
        for group in 0..2 + next(2) {
            let group = usize::try_from(group).unwrap();
            let (size, home) = (amount(1 + next(3), 1 + next(3)), usize::from(next(3) == 0));
            for _ in 0..1 + next(3) {
                let most = if group > 0 { 1 } else { usize::MAX };
                items.push(Item { piece: items.len(), size, home, group, most });
            }
        }
        Puzzle { items, rooms, homes, class: vec![0, 1, 0] }
    }

    fn is_sound(puzzle: &Puzzle, taken: &[usize]) -> bool {
        let mut board = Board::new(puzzle);
        puzzle.items.iter().zip(taken).all(|(item, room)| {
            let fits = puzzle.home(item).contains(room) && board.has_place(item, *room);
            board.put(item, *room);
            fits
        })
    }

    fn any_placement(puzzle: &Puzzle, taken: &mut Vec<usize>) -> bool {
        if taken.len() == puzzle.items.len() {
            return is_sound(puzzle, taken);
        }
        (0..puzzle.rooms.len()).any(|room| {
            taken.push(room);
            let found = any_placement(puzzle, taken);
            taken.pop();
            found
        })
    }

    #[test]
    fn no_answer_differs_from_that_of_trying_everything() {
        let mut found = [0, 0];
        for seed in 0..300 {
            let puzzle = small(seed);
            let fits = any_placement(&puzzle, &mut Vec::new());
            let expected = if fits { Outcome::Found } else { Outcome::Impossible };
            assert_eq!(whole(&puzzle, usize::MAX), expected, "seed {seed}: {puzzle:?}");
            for way in WAYS {
                assert!(fits || quick(&puzzle, way).is_err(), "seed {seed}, {way:?}");
            }
            assert!(!fits || puzzle.overfull().is_none() && oversize(&puzzle).is_none());
            found[usize::from(fits)] += 1;
        }
        assert!(found.into_iter().all(|count| count > 30), "{found:?}");
    }

    #[test]
    fn what_is_too_much_to_try_is_given_up() {
        let mut next = numbers(7);
        let items = (0..60).map(|piece| Item {
            piece,
            size: amount(1, 100 + next(300)),
            home: 0,
            group: 0,
            most: usize::MAX,
        });
        let items: Vec<Item> = items.collect();
        let all: u64 = items.iter().map(|item| item.size.memory_mib).sum();
        let rooms = vec![amount(60, all / 9 + 1); 9];
        let puzzle = Puzzle { items, rooms, homes: vec![(0..9).collect()], class: vec![0; 9] };
        assert!(puzzle.overfull().is_none());
        assert_eq!(whole(&puzzle, WORK), Outcome::GaveUp);
    }
}
