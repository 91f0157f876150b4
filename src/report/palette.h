/*
 * palette.h - the colours of a page by their names, light and dark.  Those of series are Okabe and Ito's,
 * told apart by colour-blind readers; in the dark they are lighter, in the same order.
 */
#ifndef REPORT_PALETTE_H
#define REPORT_PALETTE_H

#define PALETTE_LIGHT                                                                                        \
    "--ink:#1c2430;--soft:#5b6675;--line:#d9dee5;--tint:#f5f7f9;--page:#ffffff;--link:#0b5a94;"              \
    "--good:#0a6b4b;--goodbg:#dff1ea;--bad:#a3360a;--badbg:#fbe6dc;--open:#7a5200;--openbg:#fdf1d8;"         \
    "--neutralbg:#e9edf1;--warnbg:#fff6ec;--band:#e3eef6;--trough:#e3e8ed;--c1:#0072b2;--c2:#e69f00;"        \
    "--c3:#009e73;--c4:#cc79a7;--c5:#56b4e9;--c6:#d55e00;--c7:#8c8c8c"

#define PALETTE_DARK                                                                                         \
    "--ink:#e7ebf0;--soft:#a3aebb;--line:#363f4a;--tint:#1d232b;--page:#14181e;--link:#7cc0f5;"              \
    "--good:#6fd3ad;--goodbg:#14382c;--bad:#ff9d73;--badbg:#472415;--open:#f2c463;--openbg:#3f3012;"         \
    "--neutralbg:#2a323c;--warnbg:#3a2a17;--band:#1d3140;--trough:#2d3641;--c1:#4fb0ee;--c2:#f5b83d;"        \
    "--c3:#2fc79a;--c4:#e39cc5;--c5:#8fd0f7;--c6:#ff8b4d;--c7:#a5a5a5"

#endif
