;; Names as they are compared when neither case nor accents count, sixteen bytes at a time. name-fold.ts holds what wabt makes of this,
;; and its test compares. Below 12 this tells how far it came; then, from:
;;   0x00400  letters beyond ASCII, by their code: up to three bytes that they fold to, and in the fourth how many these are
;;   0x01000  names, with a slash between them
;;   0x12000  the folded ones, with a slash behind each
;;   0x2c000  what is kept of names that differ by more than capitals: two bytes of length, and the name
;;   0x4c000  for each name where it ends behind its slash, 0x50000 its spelling
(module
  (memory (export "memory") 6)
  ;; Folds up to $most names from 0x1000 to before $end, where the last one ends only if $whole. $namesEnd and $originalsEnd are
  ;; added to what is told of places. Gives the number of names, fewer when the next one is not in Latin letters, or too long, or
  ;; nothing. Writes at 0 where that one begins, at 4 and 8 where the folded ones and those that are kept end.
  (func (export "fold")
    (param $end i32) (param $whole i32) (param $most i32) (param $namesEnd i32) (param $originalsEnd i32)
    (result i32)
    (local $bytes v128) (local $capitals v128)
    (local $at i32) (local $to i32) (local $kept i32) (local $count i32)
    (local $name i32) (local $folded i32) (local $place i32) (local $mask i32) (local $stop i32)
    (local $bits i64) (local $changed i32) (local $more i32) (local $byte i32) (local $trail i32) (local $letter i32)
    (local.set $at (i32.const 0x1000))
    (local.set $to (i32.const 0x12000))
    (local.set $kept (i32.const 0x2c000))
    (i32.store8 (local.get $end) (i32.const 0x2f))
    (block $done
      (loop $names
        (local.set $name (local.get $at))
        (local.set $folded (local.get $to))
        (br_if $done (i32.eq (local.get $count) (local.get $most)))
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $bits (i64.const 0))
        (local.set $changed (i32.const 0))
        (local.set $more (i32.const 0))
        (block $slash
          (loop $sixteen
            (local.set $place (i32.sub (local.get $at) (local.get $name)))
            (br_if $done (i32.gt_u (local.get $place) (i32.const 4096)))
            (local.set $bytes (v128.load (local.get $at)))
            (local.set $capitals
              (i8x16.lt_u
                (i8x16.sub (local.get $bytes) (i8x16.splat (i32.const 0x41)))
                (i8x16.splat (i32.const 26))))
            (v128.store (local.get $to)
              (v128.or
                (local.get $bytes)
                (v128.and (local.get $capitals) (i8x16.splat (i32.const 0x20)))))
            ;; What ends the name, or is beyond ASCII.
            (local.set $stop
              (i32.or
                (i8x16.bitmask (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x2f))))
                (i8x16.bitmask (local.get $bytes))))
            (local.set $mask (i8x16.bitmask (local.get $capitals)))
            (if (local.get $stop)
              (then
                (local.set $stop (i32.ctz (local.get $stop)))
                (local.set $mask
                  (i32.and
                    (local.get $mask)
                    (i32.sub (i32.shl (i32.const 1) (local.get $stop)) (i32.const 1)))))
              (else (local.set $stop (i32.const 16))))
            (if (local.get $mask)
              (then
                (local.set $changed (i32.const 1))
                (if (i32.ge_u (local.get $place) (i32.const 31))
                  (then (local.set $more (i32.const 1)))
                  (else
                    (local.set $bits
                      (i64.or
                        (local.get $bits)
                        (i64.shl (i64.extend_i32_u (local.get $mask)) (i64.extend_i32_u (local.get $place)))))))))
            (local.set $at (i32.add (local.get $at) (local.get $stop)))
            (local.set $to (i32.add (local.get $to) (local.get $stop)))
            (br_if $sixteen (i32.eq (local.get $stop) (i32.const 16)))
            (local.set $byte (i32.load8_u (local.get $at)))
            (br_if $slash (i32.eq (local.get $byte) (i32.const 0x2f)))
            (local.set $trail (i32.load8_u offset=1 (local.get $at)))
            (br_if $done (i32.gt_u (i32.sub (local.get $byte) (i32.const 0xc2)) (i32.const 9)))
            (br_if $done (i32.ne (i32.and (local.get $trail) (i32.const 0xc0)) (i32.const 0x80)))
            (local.set $letter
              (i32.load offset=0x400
                (i32.shl
                  (i32.or
                    (i32.shl (i32.and (local.get $byte) (i32.const 0x1f)) (i32.const 6))
                    (i32.and (local.get $trail) (i32.const 0x3f)))
                  (i32.const 2))))
            (i32.store (local.get $to) (local.get $letter))
            (local.set $more (i32.const 1))
            (local.set $changed
              (i32.or
                (local.get $changed)
                (i32.ne
                  (local.get $letter)
                  (i32.or
                    (i32.const 0x2000000)
                    (i32.or (i32.shl (local.get $trail) (i32.const 8)) (local.get $byte))))))
            (local.set $at (i32.add (local.get $at) (i32.const 2)))
            (local.set $to (i32.add (local.get $to) (i32.shr_u (local.get $letter) (i32.const 24))))
            (br $sixteen)))
        (local.set $place (i32.sub (local.get $at) (local.get $name)))
        (br_if $done (i32.gt_u (i32.sub (local.get $place) (i32.const 1)) (i32.const 4095)))
        (br_if $done (i32.and (i32.eq (local.get $at) (local.get $end)) (i32.eqz (local.get $whole))))
        (i32.store8 (local.get $to) (i32.const 0x2f))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (i32.store offset=0x4c000
          (i32.shl (local.get $count) (i32.const 2))
          (i32.add (local.get $namesEnd) (i32.sub (local.get $to) (i32.const 0x12000))))
        (if (i32.eqz (local.get $changed))
          (then (local.set $letter (i32.const 0)))
          (else
            (if (i32.or (local.get $more) (i64.ne (i64.shr_u (local.get $bits) (i64.const 31)) (i64.const 0)))
              (then
                (local.set $letter
                  (i32.add
                    (i32.add (local.get $originalsEnd) (i32.const 1))
                    (i32.sub (local.get $kept) (i32.const 0x2c000))))
                (i32.store16 (local.get $kept) (local.get $place))
                (local.set $kept (i32.add (local.get $kept) (i32.const 2)))
                ;; What is written too much is overwritten by the next.
                (local.set $stop (i32.const 0))
                (loop $copy
                  (v128.store
                    (i32.add (local.get $kept) (local.get $stop))
                    (v128.load (i32.add (local.get $name) (local.get $stop))))
                  (local.set $stop (i32.add (local.get $stop) (i32.const 16)))
                  (br_if $copy (i32.lt_u (local.get $stop) (local.get $place))))
                (local.set $kept (i32.add (local.get $kept) (local.get $place))))
              (else
                (local.set $letter (i32.or (i32.wrap_i64 (local.get $bits)) (i32.const 0x80000000)))))))
        (i32.store offset=0x50000 (i32.shl (local.get $count) (i32.const 2)) (local.get $letter))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $names)))
    (i32.store (i32.const 0) (local.get $name))
    (i32.store (i32.const 4) (local.get $folded))
    (i32.store (i32.const 8) (local.get $kept))
    (local.get $count)))
