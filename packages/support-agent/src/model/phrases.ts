/** Everything the local model says that does not stand in an article. */
export const phrases = {
  greeting: 'Hello! I answer questions about orders, delivery, returns, payment and your account.',
  thanks: 'You are welcome. Is there anything else I can help with?',
  unknown:
    'I’m sorry, I don’t know the answer to that: I found nothing in our help articles that fits. Would you like to talk to a person? Write “talk to a person” and I pass your conversation on.',
} as const;
