"""The page at ``/docs``: the server's own OpenAPI description, rendered without anything from outside."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>pathkg server</title><style>
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:52rem;margin:2rem auto;padding:0 1rem}
details{border:1px solid #8886;border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}summary{cursor:pointer}
code,textarea,pre{font:14px/1.4 ui-monospace,monospace}textarea{width:100%;min-height:7rem;box-sizing:border-box}
pre{overflow:auto;max-height:24rem;background:#8882;padding:.6rem}b.m{display:inline-block;min-width:3.5rem}
</style></head><body><h1>pathkg server</h1><p id="about">Loading the description…</p>
<p>Machine-readable: <a href="openapi.json">openapi.json</a>. Health: <a href="healthz">healthz</a>. Research use, not for
diagnosis.</p><label>Bearer token, if the server wants one <input id="token" type="password"></label><main id="list"></main>
<script>
const el=(t,x)=>{const e=document.createElement(t);if(x!==undefined)e.textContent=x;return e};
const auth=()=>{const t=document.getElementById('token').value;return t?{authorization:'Bearer '+t}:{}};
const example=(s,d)=>{if(s.$ref)s=d.components.schemas[s.$ref.split('/').pop()];if(s.anyOf)s=s.anyOf[0];
 if(s.type==='object'&&s.properties){const o={};for(const k of s.required||[])o[k]=example(s.properties[k],d);return o}
 if(s.type==='array')return[example(s.items,d)];return s.default!==undefined?s.default:s.type==='integer'?1:'';};
async function start(){const d=await(await fetch('openapi.json',{headers:auth()})).json();
 document.getElementById('about').textContent=d.info.description;const main=document.getElementById('list');main.textContent='';
 for(const[path,ops]of Object.entries(d.paths))for(const[method,op]of Object.entries(ops)){
  const box=el('details'),s=el('summary'),m=el('b',method.toUpperCase());m.className='m';
  s.append(m,el('code',path),' '+(op.description||op.summary));box.append(s);
  const body=op.requestBody?.content?.['application/json']?.schema,area=el('textarea');
  area.setAttribute('aria-label','request body');if(body){area.value=JSON.stringify(example(body,d),null,1);box.append(area)}
  const go=el('button','Send'),out=el('pre');out.hidden=true;go.onclick=async()=>{out.hidden=false;out.textContent='…';
   const r=await fetch(path.slice(1),{method,headers:{'content-type':'application/json',...auth()},body:body?area.value:undefined});
   const t=await r.text();try{out.textContent=r.status+' '+JSON.stringify(JSON.parse(t),null,1)}catch{out.textContent=r.status+' '+t}};
  box.append(go,out);main.append(box)}}
start().catch(()=>{document.getElementById('about').textContent='Give the token and reload the list.';});
document.getElementById('token').onchange=start;
</script></body></html>
"""
