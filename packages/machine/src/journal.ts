import { present, prngBelow, prngSeed } from '@tablewalk/base';
import type {
  Command,
  CostPlugin,
  DataPlane,
  Env,
  Fact,
  RecordedFact,
  Stimulus,
  View,
} from '@tablewalk/contracts';
import { Subject, Subscription } from 'rxjs';
import type { Observable } from 'rxjs';
import { Fold, viewOf } from './fold.ts';
import type { NamedComponent, World } from './fold.ts';

/** Where stimuli and facts go: a history file, a comparison with one, or nowhere. */
export interface Recorder {
  stimulus(stimulus: Stimulus): void;
  /** Called after the fact has been folded in; `world` is the world with it. */
  fact(recorded: RecordedFact, world: () => World): void;
  /** The machine stands between two steps, and can go on from its world, its batches and these arenas. */
  rest?(world: () => World, arenas: DataPlane): void;
}

export interface JournalParts {
  readonly components: readonly NamedComponent[];
  readonly cpus: number;
  readonly seed: number;
  readonly cost: CostPlugin;
  readonly dataPlane: DataPlane;
  readonly recorder?: Recorder;
  /** `direct`: one private world, written in place. `immutable`: a new world for each fact. */
  readonly folding: 'direct' | 'immutable';
  /** Start from here instead of from nothing. */
  readonly world?: World;
}

/**
 * The event-sourced heart. Invariants:
 * 1. A fact is appended, folded into the world and told to the arenas before anybody hears of it.
 * 2. Facts are published in the order in which they were appended, one at a time, never re-entrantly.
 * 3. What reactions order waits in one queue; it is decided when every published fact has been heard.
 */
export class Journal {
  world: World;
  readonly fold: Fold;
  readonly view: View;
  stimulus = -1;
  /** Seq of the first violation, once there is one. */
  violation: RecordedFact | undefined;

  private readonly byName = new Map<string, NamedComponent>();
  private readonly published = new Subject<RecordedFact>();
  private readonly reactions = new Subject<RecordedFact>();
  private readonly subscriptions = new Subscription();
  private readonly unpublished: RecordedFact[] = [];
  private readonly orders: { readonly command: Command; readonly cpu: number }[] = [];
  private publishing = false;
  private reactingCpu = -1;
  private readonly waits: number[] = [];
  private readonly currentWorld = (): World => this.world;

  constructor(private readonly parts: JournalParts) {
    this.fold = new Fold(parts.components, parts.cpus);
    this.world = parts.world ?? this.fold.initial();
    this.view = viewOf(this.currentWorld);
    for (const named of parts.components) this.byName.set(named.name, named);
    for (const { component } of parts.components) {
      const commands$ = component.react?.(this.reactions, this.view);
      if (commands$ !== undefined)
        this.subscriptions.add(
          commands$.subscribe((command) => this.orders.push({ command, cpu: this.reactingCpu })),
        );
    }
  }

  /** Facts for observers: what they do cannot steer the machine. */
  get facts$(): Observable<RecordedFact> {
    return this.published.asObservable();
  }

  begin(stimulus: Stimulus): void {
    this.stimulus += 1;
    this.parts.recorder?.stimulus(stimulus);
  }

  /** Has the named component decide, and appends what it answers. */
  issue(command: Command, cpu: number): readonly Fact[] {
    const { name, component } = present(
      this.byName.get(command.to),
      `component ${command.to} (for ${command.type})`,
    );
    const facts = component.decide(
      command,
      this.world.slices[name],
      this.envFor(name, cpu),
    ) as readonly Fact[];
    for (const fact of facts) this.append(fact, name, cpu);
    return facts;
  }

  append(fact: Fact, by: string, cpu: number, cycles = this.parts.cost.cyclesOf(fact)): void {
    const time = cpu < 0 ? this.world.now : (this.world.clocks[cpu] as number) + cycles + this.takeWait(cpu);
    const recorded: RecordedFact = { seq: this.world.facts, by, cpu, time, stimulus: this.stimulus, fact };
    if (this.parts.folding === 'direct') this.fold.direct(this.world, recorded);
    else this.world = this.fold.immutable(this.world, recorded);
    this.parts.dataPlane.apply(fact);
    this.parts.recorder?.fact(recorded, this.currentWorld);
    if (this.violation === undefined && fact.type === 'PropertyViolated') this.violation = recorded;
    this.unpublished.push(recorded);
  }

  /** Between two steps. */
  rest(): void {
    this.parts.recorder?.rest?.(this.currentWorld, this.parts.dataPlane);
  }

  /** A CPU stood still until `time`: its next fact comes no earlier. */
  waitUntil(cpu: number, time: number): void {
    this.waits[cpu] = Math.max(0, time - (this.world.clocks[cpu] as number));
  }

  private takeWait(cpu: number): number {
    const cycles = this.waits[cpu] ?? 0;
    if (cycles > 0) this.waits[cpu] = 0;
    return cycles;
  }

  /** Publishes and reacts until nothing is left to do. */
  settle(): void {
    if (this.publishing) return;
    this.publishing = true;
    for (let heard = 0; ;) {
      const recorded = this.unpublished[heard];
      if (recorded !== undefined) {
        heard += 1;
        this.reactingCpu = recorded.cpu;
        this.reactions.next(recorded);
        this.published.next(recorded);
        continue;
      }
      this.unpublished.length = heard = 0;
      const order = this.orders.shift();
      if (order === undefined) break;
      this.issue(order.command, order.cpu);
    }
    this.publishing = false;
  }

  /** Ends every subscription: reactions and observers alike. */
  close(): void {
    this.subscriptions.unsubscribe();
    this.reactions.complete();
    this.published.complete();
  }

  /** Draws from the seed and the place in the history, so that deciding again draws the same. */
  below(bound: number, stream: number): number {
    return prngBelow(prngSeed(this.parts.seed, Math.imul(this.world.facts, 0x9e3779b1) ^ stream), bound);
  }

  private envFor(name: string, cpu: number): Env {
    let draws = 0;
    return {
      cpu,
      view: this.view,
      below: (bound) => this.below(bound, name.length * 0x10001 + ++draws),
    };
  }
}
