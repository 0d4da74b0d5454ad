/** What is checked where nobody says otherwise. */
export const defaultSpec = 'xenserver-8';

export const defaultProduct = 'XenServer';
