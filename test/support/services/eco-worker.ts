import { createWorkConsumer } from '../../../runtime/amqp/work-consumer.ts';
import { silent } from '../clients/amqp-requester.ts';
import { ecoMethods } from './eco-service.ts';

/**
 * Runs an echo worker as a process: `node eco-worker.ts URL SERVICE`. The request "muere" kills it, "espera" is never
 * answered, others are echoed. Sends its parent each request before handling it, and ends with its parent.
 */
const [url = '', service = ''] = process.argv.slice(2);
const consumer = createWorkConsumer({
  url,
  service,
  log: silent,
  methods: ecoMethods(async (request) => {
    await new Promise((told) => process.send?.(request, told));
    if (request === 'muere') process.kill(process.pid, 'SIGKILL');
    if (request === 'espera') await new Promise(() => {});
    return request;
  }),
});
process.once('disconnect', () => void consumer.stop(0));
consumer.start();
