// SPDX-License-Identifier: Apache-2.0
// fletcher32.c in Rust: same context, same result. No crate but `core`; whatever could panic would
// loop, and so end when the fuel does.
#![no_std]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

fn reduce(sum: u32) -> u32 {
    (sum & 0xffff) + (sum >> 16)
}

/// # Safety
/// `context` and `length` are the ones that the machine gives.
#[no_mangle]
pub unsafe extern "C" fn fletcher32_rust(context: *const u8, length: usize) -> u64 {
    let bytes = unsafe { core::slice::from_raw_parts(context, length) };
    let mut sums = (0xffffu32, 0xffffu32);
    for block in bytes.chunks(2 * 359) {
        for word in block.chunks(2) {
            let high = if word.len() > 1 { u32::from(word[1]) << 8 } else { 0 };
            sums.0 += u32::from(word[0]) | high;
            sums.1 += sums.0;
        }
        sums = (reduce(sums.0), reduce(sums.1));
    }
    u64::from(reduce(sums.1)) << 16 | u64::from(reduce(sums.0))
}
