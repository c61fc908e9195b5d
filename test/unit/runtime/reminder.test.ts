import { expect } from 'chai';
import { createReminder } from '../../../runtime/reminder.ts';

describe('a reminder', () => {
  it('is due at once for a new reason, and not soon again for the same one', () => {
    const reminder = createReminder();
    expect([reminder.isDue('a'), reminder.isDue('a')]).to.deep.equal([true, false]);
    expect([reminder.isDue('b'), reminder.isDue('a')]).to.deep.equal([true, true]);
    reminder.clear();
    expect(reminder.isDue('a')).to.equal(true);
  });
});
