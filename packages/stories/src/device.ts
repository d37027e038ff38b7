import { awaitUntil, defineFacts, order, sliceKey } from '@tablewalk/contracts';
import type { Command, Component, FactsIn, Routine, View, VocabularyFactOf } from '@tablewalk/contracts';
import type { NamedComponent, Never } from '@tablewalk/machine';

/**
 * A device that fills a page by DMA, past the caches, at a moment of its own choice after a driver has started it.
 * It writes the whole page at once: lines know nothing of each other, so line by line shows no more.
 */
export interface DeviceState {
  /** `torn`: the driver took the page for complete, and the device had not written it yet. */
  phase: 'idle' | 'writing' | 'written' | 'taken' | 'torn';
  /** The page that it was given last. */
  pfn: number;
}
const DEVICE = 'device';
const deviceKey = sliceKey<DeviceState>(DEVICE);

const deviceFacts = defineFacts({
  TransferStarted: { pfn: 'u' },
  /** The driver takes the page for complete. `early`: it is not. */
  BufferTaken: { pfn: 'u', early: 'b' },
});
type DeviceFact = FactsIn<typeof deviceFacts> | VocabularyFactOf<'DeviceWrote'>;
interface DeviceCommand extends Command {
  readonly type: 'StartTransfer' | 'TakeBuffer' | 'Write';
  readonly pfn: number;
}
const deviceCommand = (type: DeviceCommand['type'], pfn = 0): DeviceCommand => ({ to: DEVICE, type, pfn });

const component: Component<DeviceState, DeviceCommand, DeviceFact> = {
  facts: deviceFacts,
  evolvesOn: ['TransferStarted', 'DeviceWrote', 'BufferTaken'],
  initial: () => ({ phase: 'idle', pfn: 0 }),
  decide({ type, pfn }, state) {
    if (type === 'StartTransfer') return [{ type: 'TransferStarted', pfn }];
    if (type === 'Write') return [{ type: 'DeviceWrote', pa: state.pfn * 4096, bytes: 4096 }];
    return [{ type: 'BufferTaken', pfn, early: state.phase !== 'written' }];
  },
  evolve(draft, fact) {
    if (fact.type === 'TransferStarted') {
      draft.phase = 'writing';
      draft.pfn = fact.pfn;
    } else if (fact.type === 'DeviceWrote') draft.phase = 'written';
    else draft.phase = fact.early ? 'torn' : 'taken';
  },
  actions: [
    {
      actor: DEVICE,
      label: 'writes the page to memory',
      command: deviceCommand('Write'),
      when: (view: View) => view(deviceKey).phase === 'writing',
    },
  ],
};
export const device: NamedComponent = { name: DEVICE, component };

/** Orders of a driver: start the device; wait until it is done; take what it wrote. */
export const startTransfer = (pfn: number): Routine => order(deviceCommand('StartTransfer', pfn));
export const awaitTransfer = (): Routine =>
  awaitUntil('the transfer is over', (view) => view(deviceKey).phase === 'written');
export const takeBuffer = (pfn: number): Routine => order(deviceCommand('TakeBuffer', pfn));

export const TORN: Never = {
  rule: 'the driver takes a page that the device has not written yet',
  when: (view) => view(deviceKey).phase === 'torn',
};
export const bufferTaken = (view: View): boolean => view(deviceKey).phase === 'taken';
