import { expect } from 'chai';
import { createPatientClock, patienceMs } from '../../../gateway/solicitudes/patient-clock.ts';

const hour = 3_600_000;
const second = 1000;

describe('The clock that rows expire by', () => {
  let wall: number;
  let passed: number;
  let jumps: number[];
  let clock: () => number;

  beforeEach(() => {
    wall = 1_000 * hour;
    passed = 0;
    jumps = [];
    clock = createPatientClock({
      now: () => wall,
      monotonic: () => passed,
      onJump: (ms) => jumps.push(ms),
    });
  });
  const pass = (ms: number): void => {
    wall += ms;
    passed += ms;
  };

  it('follows the wall clock, its small corrections, and its jumps back', () => {
    pass(hour);
    expect(clock()).to.equal(wall);
    wall += 30 * second;
    expect(clock()).to.equal(wall);
    wall -= 10 * hour;
    expect(clock()).to.equal(wall);
    expect(jumps).to.deep.equal([]);
  });

  it('goes on as before while the wall clock is ahead, and follows it after ten minutes', () => {
    wall += hour;
    pass(second);
    expect(clock()).to.equal(wall - hour);
    pass(patienceMs - second);
    expect(clock()).to.equal(wall - hour);
    pass(second);
    expect(clock()).to.equal(wall);
    expect(jumps).to.deep.equal([hour]);
  });

  it('forgets a jump that is taken back, and counts the next one anew', () => {
    wall += hour;
    clock();
    pass(patienceMs / 2);
    wall -= hour;
    expect(clock()).to.equal(wall);
    pass(patienceMs);
    wall += hour;
    expect(clock()).to.equal(wall - hour);
    expect(jumps).to.deep.equal([hour, hour]);
  });
});
