;; All places of some bytes in a piece of memory, sixteen at a time. byte-scan.ts holds what wabt makes of this, and its test compares.
(module
  (memory (export "memory") 16)
  ;; Looks from $from to before $end for the $n bytes at $needle. Two of them, at $one and $other, are compared for sixteen places
  ;; at once; only where both are right the rest is looked at. Writes the places, each plus $shift, to $out, and gives their
  ;; number. Reads up to 15 bytes beyond the end.
  (func (export "find")
    (param $from i32) (param $end i32) (param $needle i32) (param $n i32)
    (param $one i32) (param $other i32) (param $shift i32) (param $out i32)
    (result i32)
    (local $wanted v128) (local $wantedToo v128)
    (local $last i32) (local $mask i32) (local $at i32) (local $i i32) (local $to i32)
    (local.set $to (local.get $out))
    (local.set $last (i32.sub (local.get $end) (local.get $n)))
    (local.set $wanted (v128.load8_splat (i32.add (local.get $needle) (local.get $one))))
    (local.set $wantedToo (v128.load8_splat (i32.add (local.get $needle) (local.get $other))))
    (block $done
      (loop $sixteen
        (br_if $done (i32.gt_s (local.get $from) (local.get $last)))
        (local.set $mask
          (i8x16.bitmask
            (v128.and
              (i8x16.eq (v128.load (i32.add (local.get $from) (local.get $one))) (local.get $wanted))
              (i8x16.eq (v128.load (i32.add (local.get $from) (local.get $other))) (local.get $wantedToo)))))
        (block $none
          (loop $places
            (br_if $none (i32.eqz (local.get $mask)))
            (local.set $at (i32.add (local.get $from) (i32.ctz (local.get $mask))))
            (br_if $done (i32.gt_s (local.get $at) (local.get $last)))
            (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
            (local.set $i (i32.const 0))
            (loop $rest
              (if (i32.lt_s (local.get $i) (local.get $n))
                (then
                  (br_if $places
                    (i32.ne
                      (i32.load8_u (i32.add (local.get $at) (local.get $i)))
                      (i32.load8_u (i32.add (local.get $needle) (local.get $i)))))
                  (local.set $i (i32.add (local.get $i) (i32.const 1)))
                  (br $rest))))
            (i32.store (local.get $to) (i32.add (local.get $at) (local.get $shift)))
            (local.set $to (i32.add (local.get $to) (i32.const 4)))
            (br $places)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (br $sixteen)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $out)) (i32.const 2))))
