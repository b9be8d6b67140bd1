// SPDX-License-Identifier: Apache-2.0
// fletcher32.c once more, in Rust. Context: number of 16-bit words, then the words.
#![no_std]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// # Safety
/// The machine checks every access, so a wrong length is a fault and no more.
#[no_mangle]
pub unsafe extern "C" fn fletcher32_rust(context: *const u32, _length: u64) -> u64 {
    let count = unsafe { *context };
    let mut word = unsafe { context.add(1) } as *const u16;
    let (mut low, mut high) = (0xffff_u32, 0xffff_u32);
    let mut left = count;
    while left != 0 {
        let mut block = if left < 359 { left } else { 359 };
        left -= block;
        while block != 0 {
            low = low.wrapping_add(unsafe { *word } as u32);
            high = high.wrapping_add(low);
            word = unsafe { word.add(1) };
            block -= 1;
        }
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
    (high << 16 | low) as u64
}
