import { assert } from './assert.ts';

/**
 * Branded integers. `va` and `pa` are byte addresses, `vpn` and `pfn` are numbers of 4 KiB pages.
 * A brand is given in one place, and checked there.
 */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type Va = Brand<number, 'Va'>;
export type Pa = Brand<number, 'Pa'>;
export type Vpn = Brand<number, 'Vpn'>;
export type Pfn = Brand<number, 'Pfn'>;
export type Asid = Brand<number, 'Asid'>;
export type CpuId = Brand<number, 'CpuId'>;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

function natural(value: number, name: string): number {
  assert(Number.isSafeInteger(value) && value >= 0, `${name} ${value} is not a natural number`);
  return value;
}

export const va = (value: number): Va => natural(value, 'va') as Va;
export const pa = (value: number): Pa => natural(value, 'pa') as Pa;
export const vpn = (value: number): Vpn => natural(value, 'vpn') as Vpn;
export const pfn = (value: number): Pfn => natural(value, 'pfn') as Pfn;
export const asid = (value: number): Asid => natural(value, 'asid') as Asid;
export const cpuId = (value: number): CpuId => natural(value, 'cpu') as CpuId;

export const vpnOfVa = (address: number): Vpn => vpn(Math.floor(address / PAGE_SIZE));
export const pfnOfPa = (address: number): Pfn => pfn(Math.floor(address / PAGE_SIZE));
export const vaOfVpn = (page: number): Va => va(page * PAGE_SIZE);
export const paOfPfn = (frame: number): Pa => pa(frame * PAGE_SIZE);
