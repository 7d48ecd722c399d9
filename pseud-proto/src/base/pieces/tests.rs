//! Queues of bytes beside plain vectors.

use super::*;

fn all(pieces: &Pieces) -> Vec<u8> {
    let mut out = vec![IoSlice::new(&[]); 4_096];
    let count = pieces.slices(&mut out);
    out[..count].iter().flat_map(|slice| slice.to_vec()).collect()
}

#[test]
fn pieces_do_as_plain_bytes_would() {
    for seed in 1..300u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut dice = move |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as usize % n
        };
        let mut both = [Pieces::default(), Pieces::default()];
        let mut models = [Vec::<u8>::new(), Vec::new()];
        let mut next = 0u8;
        for _ in 0..400 {
            let at = dice(2);
            let size = [0, 1, 7, 300, 3_000, 70_000][dice(if seed % 9 == 0 { 6 } else { 5 })];
            let bytes: Vec<u8> = (0..size)
                .map(|_| {
                    next = next.wrapping_add(1);
                    next
                })
                .collect();
            match dice(6) {
                0 | 1 => {
                    both[at].put_bytes(&bytes);
                    models[at].extend(&bytes);
                }
                2 => {
                    both[at].put_apart(bytes.clone().into());
                    models[at].extend(&bytes);
                }
                3 => {
                    let count = dice(models[at].len() + 10);
                    both[at].advance(count);
                    let count = count.min(models[at].len());
                    models[at].drain(..count);
                }
                4 => {
                    let count = dice(models[at].len() + 10);
                    let [one, two] = &mut both;
                    if at == 0 {
                        one.move_to(two, count)
                    } else {
                        two.move_to(one, count)
                    }
                    let count = count.min(models[at].len());
                    let moved: Vec<u8> = models[at].drain(..count).collect();
                    models[1 - at].extend(moved);
                }
                _ => both[at].release(),
            }
            for (pieces, model) in both.iter().zip(&models) {
                assert_eq!(pieces.len(), model.len());
                assert!(all(pieces) == *model, "{seed}");
                let before: usize =
                    pieces.large.iter().flat_map(|l| &l.queue).map(|l| l.small_before).sum();
                assert_eq!(pieces.large.as_ref().map_or(0, |l| l.small_before), before);
            }
        }
    }
}
