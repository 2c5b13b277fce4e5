import { Refusal } from '../refusals.ts';

/** It is another kind of target than can be asked this. */
export class WrongKind extends Refusal {
  static readonly code = 'WRONG_KIND';
  static readonly description = 'Another kind of target is needed for this.';
  readonly code = WrongKind.code;
  readonly message: string;

  constructor(message: string) {
    super();
    this.message = message;
  }
}

/** The delivery has arrived, or was closed, before; nothing has changed. */
export class DeliveryFinished extends Refusal {
  static readonly code = 'DELIVERY_FINISHED';
  static readonly description = 'It has arrived, or was closed, before; nothing has changed.';
  readonly code = DeliveryFinished.code;
  readonly how: 'acknowledged' | 'closed';

  constructor(how: DeliveryFinished['how']) {
    super();
    this.how = how;
  }

  get message(): string {
    return this.how === 'acknowledged'
      ? 'The target has acknowledged this already.'
      : 'This was closed already.';
  }
}
