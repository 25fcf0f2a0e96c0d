//! Pieces and rooms as bare numbers, in the order in which they are placed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::amount::{Amount, Measure};
use super::load::Piece;
use super::room::Room;

/// What is placed.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its index among the pieces.
    pub piece: usize,
    /// What it takes.
    pub size: Amount,
    /// The rooms that it may be in: an index into [`Puzzle::homes`].
    pub home: usize,
    /// Items with the same number keep away from one another.
    pub group: usize,
    /// How many items of its group may be in one room.
    pub most: usize,
}

/// A puzzle.
#[derive(Clone, Debug)]
pub struct Puzzle {
    /// What is hardest to place first; items of one group stand together, and so do equal ones.
    pub items: Vec<Item>,
    /// What each room has.
    pub rooms: Vec<Amount>,
    /// Sets of rooms, ascending.
    pub homes: Vec<Vec<usize>>,
    /// Equal for rooms that are in the same sets.
    pub class: Vec<usize>,
}

impl Puzzle {
    /// Sets it up. No piece is without a room that it may be in.
    pub fn new(pieces: &[Piece<'_>], rooms: &[Room<'_>]) -> Self {
        let all: Amount = rooms.iter().map(|room| room.size).sum();
        let mut homes: Vec<Vec<usize>> = Vec::new();
        let mut items: Vec<Item> = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let allowed = allowed(piece, rooms);
            let home = homes.iter().position(|home| *home == allowed).unwrap_or_else(|| {
                homes.push(allowed);
                homes.len() - 1
            });
            let siblings = usize::try_from(piece.apart).unwrap_or(usize::MAX);
            let count = homes.get(home).map_or(1, Vec::len).max(1);
            let number = usize::try_from(piece.project.number).unwrap_or(0);
            items.push(Item {
                piece: index,
                size: piece.size,
                home,
                group: if siblings > 1 { number } else { 0 },
                most: if siblings > 1 { siblings.div_ceil(count) } else { usize::MAX },
            });
        }
        order(&mut items, &homes, &all);
        let class = classes(&homes, rooms.len());
        Self { items, rooms: rooms.iter().map(|room| room.size).collect(), homes, class }
    }

    /// Where an item may be.
    pub fn home(&self, item: &Item) -> &[usize] {
        self.homes.get(item.home).map_or(&[], Vec::as_slice)
    }

    /// What all that may only be in a set of rooms lacks there. `None` where no set lacks anything.
    pub fn overfull(&self) -> Option<(Measure, u64)> {
        let mut needed = vec![Amount::default(); self.homes.len()];
        for item in &self.items {
            if let Some(needed) = needed.get_mut(item.home) {
                *needed = needed.plus(item.size);
            }
        }
        self.homes.iter().find_map(|home| {
            let inside = |other: &[usize]| other.iter().all(|room| home.contains(room));
            let tied = self.homes.iter().zip(&needed).filter(|(other, _)| inside(other));
            let needed: Amount = tied.map(|(_, needed)| *needed).sum();
            let there: Amount = home.iter().filter_map(|room| self.rooms.get(*room)).copied().sum();
            needed.lack(&there)
        })
    }
}

fn allowed(piece: &Piece<'_>, rooms: &[Room<'_>]) -> Vec<usize> {
    let rooms = rooms.iter().enumerate();
    rooms.filter(|(_, room)| piece.may_run_on(room)).map(|(index, _)| index).collect()
}

/// The fewer rooms, the sooner; then the larger, the sooner. A group is as large as its largest.
fn order(items: &mut [Item], homes: &[Vec<usize>], all: &Amount) {
    let mut groups: BTreeMap<usize, u64> = BTreeMap::new();
    for item in items.iter() {
        let largest = groups.entry(item.group).or_default();
        *largest = item.size.share(all).max(*largest);
    }
    items.sort_by_key(|item| {
        let own = item.size.share(all);
        let share = match item.group {
            0 => own,
            group => groups.get(&group).copied().unwrap_or(own),
        };
        let rooms = homes.get(item.home).map_or(0, Vec::len);
        (rooms, item.home, Reverse(share), item.group, Reverse(own), item.size)
    });
}

fn classes(homes: &[Vec<usize>], rooms: usize) -> Vec<usize> {
    let mut seen: Vec<Vec<bool>> = Vec::new();
    let class = |room: usize| {
        let inside: Vec<bool> = homes.iter().map(|home| home.contains(&room)).collect();
        seen.iter().position(|other| *other == inside).unwrap_or_else(|| {
            seen.push(inside);
            seen.len() - 1
        })
    };
    (0..rooms).map(class).collect()
}
