/** Words without a meaning of their own in a customer's question, apostrophes taken out. */
export const stopWords: ReadonlySet<string> = new Set(
  `a about after again ah ain all also am an and any anyone anything are arent as asap at be because
  been before being both btw but by can cannot cant could couldnt did didnt do does doesn doesnt
  doing don done dont each eg else etc ever every for from get gets getting give go going gonna
  got gotta had has hasnt have havent having he hello her here hers hes hey hi him his hmm how
  however hows i id ie if ill im in into is isn isnt it its ive just know let like look looking
  lot make many may maybe me might mine more most much must my myself need needs no nope nor not
  now of off oh ok okay on once one ones only or other our ours out over own per please pls plz
  policies policy put really right same say see she shes should so some somehow someone something still such sure
  take takes tell than thank thanks that thats the their them then there theres these they theyre
  theyve thing things this those through thx to too try trying u under until up ur us use used
  using very via vs wanna want wanted wants was wasn wasnt way we well went were weve what whats
  when whens where wheres which while who whom whos whose why will with wont would wouldnt ya
  yeah yep yes yet you your youre yours youve`.split(/\s+/),
);
