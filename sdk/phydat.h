/* SPDX-License-Identifier: Apache-2.0 */
/* A reading of up to three dimensions, laid out as RIOT's SAUL does: val x 10^scale, in `unit`. */
#ifndef PHYDAT_H
#define PHYDAT_H

#include <stdint.h>

#define PHYDAT_DIM 3

typedef struct {
    int16_t val[PHYDAT_DIM];
    uint8_t unit;
    int8_t scale;
} phydat_t;

#endif
